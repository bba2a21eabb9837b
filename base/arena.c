/* SPDX-License-Identifier: Apache-2.0 */

#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#define BLOCK_SIZE 4096U
#define ALIGNMENT _Alignof(max_align_t)

typedef struct Block Block;
struct Block {
        Block *next;
        size_t size, at; /* of data */
        _Alignas(max_align_t) char data[];
};

struct Arena {
        Block *blocks; /* the first is the one that is filled */
        size_t limit, used;
};

Arena *arena_new(size_t limit) {
        Arena *arena = calloc(1, sizeof(*arena));

        if (arena != NULL)
                *arena = (Arena){ .limit = limit, .used = sizeof(*arena) };
        return arena;
}

Arena *arena_free(Arena *arena) {
        while (arena != NULL && arena->blocks != NULL) {
                Block *next = arena->blocks->next;

                free(arena->blocks);
                arena->blocks = next;
        }
        free(arena);
        return NULL;
}

/* Blocks double, so that a large input costs few of them; the last ones shrink to what the limit
 * leaves. */
static Block *add_block(Arena *arena, size_t needed) {
        size_t left = arena->limit - arena->used, size = BLOCK_SIZE;
        Block *block;

        if (arena->blocks != NULL)
                size = arena->blocks->size * 2;
        if (size < needed + sizeof(*block))
                size = needed + sizeof(*block);
        if (size > left)
                size = left;
        if (size < needed + sizeof(*block))
                return NULL;
        block = calloc(1, size);
        if (block == NULL)
                return NULL;
        *block = (Block){ .next = arena->blocks, .size = size - sizeof(*block) };
        arena->blocks = block;
        arena->used += size;
        return block;
}

void *arena_alloc(Arena *arena, size_t size) {
        Block *block = arena->blocks;
        size_t taken;

        if (size > arena->limit)
                return NULL;
        taken = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (block == NULL || taken > block->size - block->at) {
                block = add_block(arena, taken);
                if (block == NULL)
                        return NULL;
        }
        block->at += taken;
        return block->data + (block->at - taken);
}

void *arena_array(Arena *arena, size_t count, size_t size) {
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes))
                return NULL;
        return arena_alloc(arena, bytes);
}

char *arena_text(Arena *arena, const char *text, size_t size) {
        char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

        if (copy != NULL && size > 0)
                memcpy(copy, text, size);
        return copy;
}

size_t arena_used(const Arena *arena) {
        return arena->used;
}
