/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Document: YAML bytes -> nodes with positions. The only file that knows libyaml.
 *
 * A strict subset: one document, UTF-8, no tabs, no anchors, aliases or tags, no complex keys.
 * Bounded in bytes, depth, nodes, and, by the arena, in memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/diagnostic.h"

struct Arena;

#define DOCUMENT_DEPTH_MAX 16U    /* the format itself needs 9 */
#define DOCUMENT_NODES_MAX 65536U /* a 256 KiB file of the shortest useful rules has 50 000 */

typedef enum NodeKind { NODE_SCALAR = 1, NODE_LIST, NODE_MAP } NodeKind;

typedef struct Node Node;
struct Node {
        NodeKind kind;
        bool quoted; /* a scalar in quotes or in block form: always text */
        PolicyPosition position;
        const char *text; /* of a scalar; no NUL inside */
        Node *first;      /* items of a list; key, value, key, value of a map */
        Node *next;       /* sibling */
        uint32_t count;   /* items, or pairs */
        uint32_t value;   /* what read.c made of a scalar: number, truth, or 1 + place among the
                             choices */
};

/* *ret_root is NULL for a file without content. -1 with a diagnostic. */
int document_parse(struct Arena *arena, const char *text, size_t size, Node **ret_root,
        Diagnostics *diagnostics);
