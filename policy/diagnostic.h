/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is wrong with a policy file, for the person who wrote it: up to 20 errors at once, each with
 * its place. The caller owns the record; reporting allocates nothing.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/policy.h"

#define DIAGNOSTICS_MAX 20U
#define DIAGNOSTIC_TEXT_MAX 320U

typedef struct Diagnostic {
        PolicyPosition position; /* 0, 0: the file as a whole */
        char text[DIAGNOSTIC_TEXT_MAX];
} Diagnostic;

typedef struct Diagnostics {
        Diagnostic items[DIAGNOSTICS_MAX];
        uint32_t count; /* in items */
        uint32_t total; /* found, of which only the first are kept */
} Diagnostics;

/* Returns -1, so that a failing function ends with it. Control bytes become '?'. */
/* <0, 0, >0: in the order of the file. */
int position_compare(PolicyPosition a, PolicyPosition b);

printf_like(3, 4) int diagnostics_add(
        Diagnostics *diagnostics, PolicyPosition position, const char *format, ...);

/* By position. */
void diagnostics_sort(Diagnostics *diagnostics);

/* The first one as an Error, "policy.yaml:14:7: ...", with how many more there are; for those who
 * can show one line only. Returns -1. */
int diagnostics_to_error(const Diagnostics *diagnostics, const char *name, Error *error);

/* A foreign value for a message: whole, or its beginning and "...". Returns buffer. */
#define DIAGNOSTIC_VALUE_MAX 84U
const char *diagnostic_value(const char *value, char buffer[static DIAGNOSTIC_VALUE_MAX]);
