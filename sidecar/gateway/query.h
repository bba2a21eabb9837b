/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Query: `key=value&key=value` of a request's target, decoded, in the order it was sent. Keys may
 * repeat. */
#include <stddef.h>

#include "base/error.h"

/* 1024 arguments, 128 variables, and all other keys several times over. */
#define QUERY_PAIRS_MAX 1280U

typedef struct QueryPair {
        const char *key;
        const char *value; /* "" for a key without '=' */
} QueryPair;

typedef struct Query {
        QueryPair *pairs;
        size_t count;
        char *text; /* what the pairs point into */
} Query;

/* "" is a query of no pairs. ERROR_INPUT: a bad %XX, or %00, which would end an argument early;
 * ERROR_LIMIT: too many pairs. */
int query_parse(const char *text, Query *ret_query, Error *error);
void query_done(Query *query);
