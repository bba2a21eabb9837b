/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Error: why something failed, as one record the caller owns. Nothing is allocated to report a failure.
 *
 * Functions return 0 when done, > 0 for an outcome they document, < 0 when they failed and filled *error.
 * A function either logs or returns an error, never both.
 */

#define printf_like(text, first) __attribute__((__format__(__printf__, text, first)))

/* What the outside sees: it decides the exit code, the HTTP status and the reason of a Kubernetes Status. */
typedef enum ErrorKind {
        ERROR_OS = 1, /* the system could not: code says why */
        ERROR_INPUT,  /* the author or caller wrote something wrong, and can mend it */
        ERROR_DENIED, /* a rule forbids it */
        ERROR_LIMIT,  /* more than we take */
        ERROR_PEER,   /* the other side broke the protocol or went away */
} ErrorKind;

#define ERROR_TEXT_MAX 512

typedef struct Error {
        ErrorKind kind;
        int code;                  /* positive errno, or 0 */
        char text[ERROR_TEXT_MAX]; /* a sentence for the person who can fix it; names in '' */
} Error;

/* Fills *error and returns -1, so that a failing function ends with `return error_set(...)`. A code other than 0 adds ": " and
 * its text. A NULL error is allowed: the caller only wants to know whether. Control bytes of the result become '?'. */
printf_like(4, 5) int error_set(Error *error, ErrorKind kind, int code, const char *format, ...);

/* Puts "what we were doing: " in front, and returns -1. */
printf_like(2, 3) int error_context(Error *error, const char *format, ...);
