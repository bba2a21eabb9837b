/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A table of places, one for each address of the range, that holds indices into an array of names.
 * A name may stand in any of PROBES places from its own on; all of them are always looked at, so
 * that forgetting a name needs no tombstone.
 */
#include "sidecar/egress/pool.h"

#include "base/sha256.h"
#include "policy/pattern.h"

#include <stdlib.h>
#include <string.h>

#define PLACES (1U << 17) /* addresses in a /15 */
#define PROBES 16U

typedef struct Name {
        char host[HOST_SIZE]; /* "" = free */
        uint32_t place;
        bool pinned;
        int64_t used;
} Name;

struct Pool {
        Name names[POOL_NAMES_MAX];
        uint16_t places[PLACES]; /* index of the name + 1; 0 = free */
};

static const uint8_t ipv4_prefix[4] = { 198, 18 };
static const uint8_t ipv6_prefix[16] = { 0xfd, 0x6e, 0x61, 0x76, 0x69, 0x67 };

Pool *pool_new(void) {
        return calloc(1, sizeof(Pool));
}

Pool *pool_free(Pool *pool) {
        free(pool);
        return NULL;
}

static uint32_t place_of(const char *host) {
        uint8_t hash[SHA256_SIZE];

        sha256(host, strlen(host), hash);
        return ((uint32_t)hash[0] << 16 | (uint32_t)hash[1] << 8 | hash[2]) % PLACES;
}

static void place_addresses(uint32_t place, Address *ret_ipv4, Address *ret_ipv6) {
        uint8_t ipv4[sizeof(ipv4_prefix)], ipv6[sizeof(ipv6_prefix)];

        memcpy(ipv4, ipv4_prefix, sizeof(ipv4));
        memcpy(ipv6, ipv6_prefix, sizeof(ipv6));
        for (unsigned i = 0; i < 3; i++) {
                const uint8_t byte = (uint8_t)(place >> (8 * i));

                ipv4[3 - i] = (uint8_t)(ipv4[3 - i] | byte);
                ipv6[15 - i] = byte;
        }
        *ret_ipv4 = address_from_bytes(ipv4, sizeof(ipv4));
        *ret_ipv6 = address_from_bytes(ipv6, sizeof(ipv6));
}

/* PLACES when the address is none of ours. */
static uint32_t address_place(const Address *address) {
        const uint8_t *bytes = address->bytes;

        if (address->family == 4 && bytes[0] == ipv4_prefix[0] &&
                (bytes[1] & 0xfeU) == ipv4_prefix[1])
                return (bytes[1] & 1U) << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
        if (address->family == 6 && memcmp(bytes, ipv6_prefix, 12) == 0 && bytes[12] == 0 &&
                bytes[13] <= 1)
                return (uint32_t)bytes[13] << 16 | (uint32_t)bytes[14] << 8 | bytes[15];
        return PLACES;
}

static void forget(Pool *pool, Name *name) {
        pool->places[name->place] = 0;
        name->host[0] = '\0';
}

/* A free name, or the one that nobody has used for longest; NULL when all are pinned. */
static Name *make_room(Pool *pool) {
        Name *oldest = NULL;

        for (uint32_t i = 0; i < POOL_NAMES_MAX; i++) {
                Name *name = &pool->names[i];

                if (name->host[0] == '\0')
                        return name;
                if (!name->pinned && (oldest == NULL || name->used < oldest->used))
                        oldest = name;
        }
        if (oldest != NULL)
                forget(pool, oldest);
        return oldest;
}

static Name *name_at(Pool *pool, uint32_t place) {
        return place < PLACES && pool->places[place] != 0 ? &pool->names[pool->places[place] - 1]
                                                          : NULL;
}

static bool is_stale(const Name *name, int64_t now) {
        return !name->pinned && now - name->used > POOL_IDLE_SECONDS;
}

/* The place for a new name: a free one, else that of the name among its neighbours that is unused
 * for longest. */
static bool choose_place(Pool *pool, uint32_t first, uint32_t *ret_place) {
        Name *oldest = NULL;

        for (unsigned probe = 0; probe < PROBES; probe++) {
                Name *name = name_at(pool, (first + probe) % PLACES);

                if (name == NULL) {
                        *ret_place = (first + probe) % PLACES;
                        return true;
                }
                if (!name->pinned && (oldest == NULL || name->used < oldest->used))
                        oldest = name;
        }
        if (oldest == NULL)
                return false;
        *ret_place = oldest->place;
        forget(pool, oldest);
        return true;
}

static Name *find_host(Pool *pool, const char *host, uint32_t first) {
        for (unsigned probe = 0; probe < PROBES; probe++) {
                Name *name = name_at(pool, (first + probe) % PLACES);

                if (name != NULL && strcmp(name->host, host) == 0)
                        return name;
        }
        return NULL;
}

static Name *find_or_add(Pool *pool, const char *host, int64_t now, bool *ret_fresh) {
        const uint32_t first = place_of(host);
        Name *name = find_host(pool, host, first);
        uint32_t place = 0;

        *ret_fresh = name == NULL || is_stale(name, now);
        if (name == NULL) {
                name = strlen(host) < sizeof(name->host) ? make_room(pool) : NULL;
                if (name == NULL || !choose_place(pool, first, &place))
                        return NULL;
                memcpy(name->host, host, strlen(host) + 1);
                name->place = place;
                name->pinned = false;
                pool->places[place] = (uint16_t)(name - pool->names + 1);
        }
        name->used = now;
        return name;
}

bool pool_add(Pool *pool, const char *host, Address *ret_ipv4, Address *ret_ipv6, int64_t now,
        bool *ret_pinned, bool *ret_fresh) {
        Name *name = find_or_add(pool, host, now, ret_fresh);

        if (name == NULL)
                return false;
        *ret_pinned = name->pinned;
        place_addresses(name->place, ret_ipv4, ret_ipv6);
        return true;
}

bool pool_pin(Pool *pool, const char *host, int64_t now) {
        bool fresh;
        Name *name = find_or_add(pool, host, now, &fresh);

        if (name == NULL)
                return false;
        name->pinned = true;
        return true;
}

const char *pool_find(Pool *pool, const Address *address, int64_t now) {
        Name *name = name_at(pool, address_place(address));

        if (name == NULL || is_stale(name, now))
                return NULL;
        name->used = now;
        return name->host;
}

void pool_unpin(Pool *pool) {
        /* Written only where it says something: a page of names that was never used stays none. */
        for (uint32_t i = 0; i < POOL_NAMES_MAX; i++)
                if (pool->names[i].pinned)
                        pool->names[i].pinned = false;
}
