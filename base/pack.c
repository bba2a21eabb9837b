/* SPDX-License-Identifier: Apache-2.0 */

#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256U

Packer packer_in(void *data, size_t room) {
        return (Packer){ .data = data, .room = room, .limit = room };
}

Packer packer_growing(size_t limit) {
        return (Packer){ .limit = limit, .growing = true };
}

void packer_done(Packer *packer) {
        if (packer->growing)
                free(packer->data);
        *packer = (Packer){ .failed = true };
}

static bool make_room(Packer *packer, size_t more) {
        size_t room = packer->room;
        uint8_t *grown;

        if (packer->failed || more > packer->limit - packer->size) {
                packer->failed = true;
                return false;
        }
        if (packer->size + more <= room)
                return true;
        if (room == 0)
                room = FIRST_ROOM;
        while (room < packer->size + more)
                room *= 2;
        if (room > packer->limit)
                room = packer->limit;
        grown = packer->growing ? realloc(packer->data, room) : NULL;
        if (grown == NULL) {
                packer->failed = true;
                return false;
        }
        packer->data = grown;
        packer->room = room;
        return true;
}

static void put(Packer *packer, const void *data, size_t size) {
        if (size == 0 || !make_room(packer, size))
                return;
        memcpy(packer->data + packer->size, data, size);
        packer->size += size;
}

static void put_number(Packer *packer, uint64_t value, size_t size) {
        uint8_t bytes[8];

        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)(value >> (8 * i));
        put(packer, bytes, size);
}

void pack_u8(Packer *packer, uint8_t value) {
        put_number(packer, value, 1);
}

void pack_u16(Packer *packer, uint16_t value) {
        put_number(packer, value, 2);
}

void pack_u32(Packer *packer, uint32_t value) {
        put_number(packer, value, 4);
}

void pack_u64(Packer *packer, uint64_t value) {
        put_number(packer, value, 8);
}

void pack_bytes(Packer *packer, const void *data, size_t size) {
        if (size > UINT32_MAX) {
                packer->failed = true;
                return;
        }
        pack_u32(packer, (uint32_t)size);
        put(packer, data, size);
}

void pack_string(Packer *packer, const char *text) {
        pack_bytes(packer, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
        pack_u8(packer, 0);
}

void pack_strings(Packer *packer, const char *const *list) {
        uint32_t count = 0;

        while (list != NULL && list[count] != NULL)
                count++;
        pack_u32(packer, count);
        for (uint32_t i = 0; i < count; i++)
                pack_string(packer, list[i]);
}

Unpacker unpacker(const void *data, size_t size) {
        return (Unpacker){ .data = data, .size = size };
}

static const uint8_t *get(Unpacker *unpacker, size_t size) {
        const uint8_t *here;

        if (unpacker->failed || size > unpacker->size - unpacker->at) {
                unpacker->failed = true;
                return NULL;
        }
        here = unpacker->data + unpacker->at;
        unpacker->at += size;
        return here;
}

static uint64_t get_number(Unpacker *unpacker, size_t size) {
        const uint8_t *bytes = get(unpacker, size);
        uint64_t value = 0;

        if (bytes == NULL)
                return 0;
        for (size_t i = size; i > 0; i--)
                value = value << 8 | bytes[i - 1];
        return value;
}

uint8_t unpack_u8(Unpacker *unpacker) {
        return (uint8_t)get_number(unpacker, 1);
}

uint16_t unpack_u16(Unpacker *unpacker) {
        return (uint16_t)get_number(unpacker, 2);
}

uint32_t unpack_u32(Unpacker *unpacker) {
        return (uint32_t)get_number(unpacker, 4);
}

uint64_t unpack_u64(Unpacker *unpacker) {
        return get_number(unpacker, 8);
}

const void *unpack_bytes(Unpacker *unpacker, size_t *ret_size) {
        size_t size = unpack_u32(unpacker);
        const uint8_t *bytes = get(unpacker, size);

        *ret_size = bytes != NULL ? size : 0;
        return bytes != NULL ? (const void *)bytes : "";
}

const char *unpack_string(Unpacker *unpacker) {
        size_t size;
        const char *text = unpack_bytes(unpacker, &size);

        if (unpack_u8(unpacker) != 0 || unpacker->failed || memchr(text, '\0', size) != NULL) {
                unpacker->failed = true;
                return "";
        }
        return text;
}

uint32_t unpack_count(Unpacker *unpacker, uint32_t max) {
        uint32_t count = unpack_u32(unpacker);

        if (count > max || count > unpacker->size - unpacker->at)
                unpacker->failed = true;
        return unpacker->failed ? 0 : count;
}

const char **unpack_strings(Unpacker *unpacker, uint32_t max, uint32_t *ret_count) {
        uint32_t count = unpack_count(unpacker, max);
        const char **list = calloc((size_t)count + 1, sizeof(*list));

        if (list == NULL)
                unpacker->failed = true;
        for (uint32_t i = 0; list != NULL && i < count; i++)
                list[i] = unpack_string(unpacker);
        if (unpacker->failed) {
                free(list);
                return NULL;
        }
        if (ret_count != NULL)
                *ret_count = count;
        return list;
}

bool unpack_end(const Unpacker *unpacker) {
        return !unpacker->failed && unpacker->at == unpacker->size;
}
