/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a change of a policy opens and what it closes. On the safe side: what cannot be shown to be
 * covered by the old policy counts as wider.
 */
#include "base/error.h"
#include "policy/policy.h"

#define CHANGES_LISTED_MAX 1000U /* of each kind */

struct Arena;

typedef enum ChangeKind {
        CHANGE_WIDER = 1,
        CHANGE_NARROWER,
        CHANGE_OTHER, /* neither: a name for people */
} ChangeKind;

typedef struct Change Change;
struct Change {
        ChangeKind kind;
        PolicyPosition
                position; /* in the new file, of what is narrower in the old one; 0: of neither */
        const char *text;
        const Change *next;
};

typedef struct Comparison {
        struct Arena *arena; /* owned: the changes */
        const Change *first, *last;
        uint32_t wider, narrower, other; /* how many of each, up to UINT32_MAX */
        uint32_t listed[CHANGE_OTHER + 1]; /* of them, by ChangeKind */
} Comparison;

void comparison_donep(Comparison *comparison);

int policy_compare(const Policy *old, const Policy *new, Comparison *ret_comparison, Error *error);
