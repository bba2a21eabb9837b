/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pool: the synthetic addresses. Inside the sandbox each name that the policy knows has an address
 * of its own, so that a connection to it says which name was meant, and nothing has to be asked of
 * any server before a connection is decided.
 *
 * IPv4: 198.18.0.0/15, the benchmarking range of RFC 2544, which no network routes. IPv6:
 * fd6e:6176:6967::/96, a unique local prefix. A name's place comes from its hash, so that a
 * restarted egress role hands out the same address again; names that the policy writes out are
 * pinned, those of wildcards give way to newer ones when nobody has used them for longest.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "policy/address.h"

#define POOL_NAMES_MAX 4096U
#define POOL_IDLE_SECONDS                                                                          \
        3600 /* a wildcard's name is forgotten after; far above the 30 s that answers live */

typedef struct Pool Pool;

/* NULL without memory. */
Pool *pool_new(void);
Pool *pool_free(Pool *pool);
DEFINE_CLEANUP(Pool *, pool_free);

/* Finds or adds `host` (as Destination spells it) and fills both addresses. `now` is in seconds of
 * a clock that never goes back. False when every place is pinned. *ret_pinned: somebody called
 * pool_pin() for it; *ret_fresh: it was not there. */
bool pool_add(Pool *pool, const char *host, Address *ret_ipv4, Address *ret_ipv6, int64_t now,
        bool *ret_pinned, bool *ret_fresh);

/* Adds a name that the policy writes out; it stays until pool_unpin(). False when there is no room
 * left. */
bool pool_pin(Pool *pool, const char *host, int64_t now);

/* The name that has this address, or NULL. Borrowed until the next pool_add(). Counts as use. */
const char *pool_find(Pool *pool, const Address *address, int64_t now);

/* The policy has changed: what it writes out will be pinned anew, the rest ages. */
void pool_unpin(Pool *pool);
