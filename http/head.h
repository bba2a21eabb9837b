/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Head: the request line and fields of one HTTP/1 request, read piece by piece, bounded, from a
 * client that nobody knows yet.
 *
 * Stricter than the library underneath: no folded lines, no blank in a field name, no lone LF, no
 * NUL, no Transfer-Encoding, no body but an announced one that its user wants, no field twice where
 * two could be understood in two ways.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* 128 KiB of arguments and variables (WIRE_TEXT_MAX), every byte of them written as %XX, and the
 * keys around them. */
#define HEAD_TARGET_MAX (416U * 1024U)
#define HEAD_FIELDS_MAX 64U                /* kubectl sends at most 12 */
#define HEAD_FIELDS_SIZE_MAX (32U * 1024U) /* a bearer token with many groups takes about 8 KiB */

typedef enum HeadMethod { HEAD_GET = 1, HEAD_POST, HEAD_OTHER } HeadMethod;

typedef struct HeadField {
        const char *name; /* lower case */
        const char *value;
} HeadField;

typedef struct Head {
        HeadMethod method;
        const char *target; /* path and query as sent */
        bool keep_alive;
        size_t body_size; /* of what follows the head, and is left to the reader's user */
        size_t field_count;
        HeadField fields[HEAD_FIELDS_MAX];
} Head;

typedef struct HeadReader HeadReader;

/* body_max: of the longest body that a request may have; 0 where requests have none. NULL: no
 * memory.
 */
HeadReader *head_reader_new(size_t body_max);
HeadReader *head_reader_free(HeadReader *reader);
DEFINE_CLEANUP(HeadReader *, head_reader_free);

/* Takes some or all of data. 1: the head is whole, and *ret_used bytes were part of it; 0: more is
 * needed; -1: ERROR_LIMIT when it is too large, else ERROR_INPUT. After 1 or -1 the reader takes no
 * more. */
int head_reader_feed(
        HeadReader *reader, const char *data, size_t size, size_t *ret_used, Error *error);

/* The head, once feed has returned 1; lives as long as the reader. */
const Head *head_reader_head(const HeadReader *reader);

/* The value of a field, by its lower-case name; NULL when it was not sent. The first, where a field
 * may come twice. */
const char *head_field(const Head *head, const char *name);

/* Whether a comma-separated field holds this token, without regard to case. */
bool head_field_has(const Head *head, const char *name, const char *token);
