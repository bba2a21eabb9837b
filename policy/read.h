/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Nodes -> draft, through the key table: unknown, repeated and missing keys, types, numbers,
 * choices. Goes on after an error, so that a file's errors are found at once.
 */
#include "policy/diagnostic.h"
#include "policy/document.h"
#include "policy/keys.h"

struct Arena;

#define NAME_SIZE_MAX 128U /* bytes of a name that an author chooses */

/* Fills *ret_draft (section->size bytes): a pointer for each key of `map` that is there and has its
 * type. Lists of scalars are checked item by item; maps and lists of maps are read by their own
 * call. 0, or -1 when something was reported; what was right is filled in anyway. */
int read_section(
        const Node *map, const KeySection *section, void *ret_draft, Diagnostics *diagnostics);

/* A scalar that every reader takes for text: quoted, or neither null, truth nor number. */
bool read_is_text(const Node *node);

/* A matcher, as text or as a map, into *ret_draft; a text becomes `glob`. */
struct DraftMatcher;
int read_matcher(const Node *node, struct DraftMatcher *ret_draft, Diagnostics *diagnostics);
/* The names of a KEY_NAMED or KEY_NAMED_MATCHERS map: not empty, printable, none twice. Takes
 * memory from the arena for the comparison. */
int read_names(struct Arena *arena, const Node *map, Diagnostics *diagnostics);
