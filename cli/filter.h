/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Filter: which lines of the audit are wanted, as FIELD=PATTERN and FIELD!=PATTERN. */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sidecar/audit/line.h"

#define FILTERS_MAX 32U
#define FILTER_FIELD_MAX 96U

typedef struct Filter {
        char field[FILTER_FIELD_MAX];
        const char *pattern; /* borrowed; * and ? as a shell has them */
        bool refuses;
        bool seen; /* some line had the field */
} Filter;

typedef struct Filters {
        Filter items[FILTERS_MAX];
        size_t count;
} Filters;

int filters_parse(char **arguments, int count, Filters *ret_filters, Error *error);
/* Filters of one field are alternatives; all fields have to fit. A line without the field fits no
 * "=", and every "!=". */
bool filters_match(Filters *filters, const AuditLine *line);
