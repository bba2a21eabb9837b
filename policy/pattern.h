/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The two kinds of pattern that policies use: of program paths and of hosts. Pure. */
#include <stdbool.h>
#include <stddef.h>

#define HOST_SIZE 256U /* a DNS name has at most 253 characters in text */

/* '*' matches within one component, '**' across; everything else is itself. Linear in the product
 * of the lengths. */
bool pattern_matches_path(const char *pattern, const char *path);
/* Whether some path below the directory could match: on the safe side, true where it is not sure. */
bool pattern_reaches_below(const char *pattern, const char *directory);
/* '*' matches any characters; for one label of a host. */
bool pattern_matches_label(const char *pattern, const char *label, size_t size);
bool pattern_has_wildcard(const char *text);
/* Whether one path could match both patterns: exact for a pattern and a path, and on the safe side
 * (true) for two patterns. */
bool pattern_may_overlap(const char *a, const char *b);

typedef enum HostForm {
        HOST_NAME = 1, /* a DNS name */
        HOST_ADDRESS,  /* a literal IP address */
        HOST_PATTERN,  /* a name with wildcards */
        /* not usable, and why */
        HOST_EMPTY,
        HOST_TOO_LONG,     /* more than 253 characters, or 63 in a label */
        HOST_CHARACTER,    /* outside a-z 0-9 - _ ., or not in its xn-- form */
        HOST_LABEL,        /* an empty label, or one that begins or ends with '-' */
        HOST_NUMBERS,      /* ends in a number, but is no address in its plain form */
        HOST_BARE,         /* "*" or "**" */
        HOST_TLD,          /* a wildcard in one of the last two labels: "*.com" */
        HOST_DEEP_PLACE,   /* "**" that is not the whole first label */
        HOST_PARTIAL_PLACE /* a wildcard within a label other than the first */
} HostForm;

/* Judges and normalises: lower case, no trailing dot, addresses in their canonical text. ret_host
 * is written for the first three forms. */
HostForm host_parse(const char *text, char ret_host[static HOST_SIZE]);
