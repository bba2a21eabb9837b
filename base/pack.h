/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flat records: the one encoding of everything our processes say to each other (jail results, the hook's record, wire messages).
 *
 * Little endian, no alignment, no tags: writer and reader list the same fields in the same order (docs/formats/pack.md).
 * A string is u32 length, bytes, NUL; bytes are u32 length, bytes. A list is u32 count, then its items.
 *
 * Errors stick: pack_*() after an overflow and unpack_*() after a bad length do nothing and return empty values, so a whole record
 * is written or read without a test per field and checked once at its end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Packer {
        uint8_t *data; /* owned when growing, else the caller's */
        size_t size;
        size_t room;
        size_t limit;
        bool growing;
        bool failed; /* no room, or no memory */
} Packer;

/* A packer in memory that the caller owns. */
Packer packer_in(void *data, size_t room);
/* A packer that allocates up to limit bytes; end it with packer_done(). */
Packer packer_growing(size_t limit);
void packer_done(Packer *packer);

void pack_u8(Packer *packer, uint8_t value);
void pack_u16(Packer *packer, uint16_t value);
void pack_u32(Packer *packer, uint32_t value);
void pack_u64(Packer *packer, uint64_t value);
void pack_bytes(Packer *packer, const void *data, size_t size);
void pack_string(Packer *packer, const char *text); /* NULL is written as "" */
/* A list of strings, ended by NULL. */
void pack_strings(Packer *packer, const char *const *list);

typedef struct Unpacker {
        const uint8_t *data; /* borrowed: what unpack_bytes() and unpack_string() return points into it */
        size_t size;
        size_t at;
        bool failed;
} Unpacker;

Unpacker unpacker(const void *data, size_t size);

uint8_t unpack_u8(Unpacker *unpacker);
uint16_t unpack_u16(Unpacker *unpacker);
uint32_t unpack_u32(Unpacker *unpacker);
uint64_t unpack_u64(Unpacker *unpacker);
const void *unpack_bytes(Unpacker *unpacker, size_t *ret_size);
/* Never NULL; "" after a failure. Fails on a NUL inside. */
const char *unpack_string(Unpacker *unpacker);
/* A count of at most max items of which each takes at least one byte; 0 after a failure. */
uint32_t unpack_count(Unpacker *unpacker, uint32_t max);
/* A malloc'ed, NULL-ended array of borrowed strings, at most max of them; NULL on failure. The caller frees the array. */
const char **unpack_strings(Unpacker *unpacker, uint32_t max, uint32_t *ret_count);

/* True when nothing failed and every byte was consumed: what a reader checks before it believes any of it. */
bool unpack_end(const Unpacker *unpacker);
