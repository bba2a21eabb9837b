/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How a comparison is filled. Private to compare.c and compare_network.c. */
#include "policy/compare.h"

/* Counts the change, and lists it as long as there is room. */
printf_like(4, 5) void comparison_add(
        Comparison *comparison, ChangeKind kind, PolicyPosition position, const char *format, ...);
/* Whether one more of that kind would be listed. */
bool comparison_lists(const Comparison *comparison, ChangeKind kind);
/* Counts changes that are not listed. */
void comparison_count(Comparison *comparison, ChangeKind kind, uint32_t changes);

/* network_policies. */
int comparison_of_networks(
        Comparison *comparison, const Policy *old, const Policy *new, Error *error);
