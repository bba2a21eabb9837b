/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Arena: memory with a limit that is freed at once, for what is built from one input and lives or
 * dies as a whole.
 *
 * Whoever parses foreign bytes allocates here and nowhere else, so that the limit bounds the
 * parser.
 */
#include <stddef.h>

#include "base/cleanup.h"

typedef struct Arena Arena;

/* NULL without memory. The arena never takes more than `limit` bytes, its own administration
 * included. */
Arena *arena_new(size_t limit);
Arena *arena_free(Arena *arena);
DEFINE_CLEANUP(Arena *, arena_free);

/* Zeroed and aligned for any type; NULL past the limit or without memory. A size of 0 gives a valid
 * pointer. */
void *arena_alloc(Arena *arena, size_t size);
/* An array; NULL also when count * size overflows. */
void *arena_array(Arena *arena, size_t count, size_t size);
/* A copy of size bytes with a NUL behind. */
char *arena_text(Arena *arena, const char *text, size_t size);

size_t arena_used(const Arena *arena);
