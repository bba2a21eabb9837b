/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether one rule allows all that another allows. For the ceiling's report and for `policy diff`:
 * on the safe side, so "false" where only several rules together would cover. Pure.
 */
#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

/* Every host that `narrow` matches, `wide` matches. Both are normal names, addresses or patterns.
 */
bool cover_host(const char *wide, const char *narrow);
/* Some host may match both. An endpoint without host is met by literal addresses. */
bool cover_hosts_meet(const char *a, const char *b);
/* The same for patterns of program paths. */
bool cover_program(const char *wide, const char *narrow);

/* What one program may do at one port of an endpoint. */
typedef struct CoverGrant {
        const PolicyNetwork *network;
        const PolicyEndpoint *endpoint;
        uint16_t port;
        const PolicyBinary *binary;
} CoverGrant;

/* Walks over all grants of a policy, not of its ceiling: `GrantWalk walk = { .policy = policy }`.
 * With `enforcement: audit`, where requests are not read, there is one more for all programs that
 * are not named. False after the last. */
typedef struct GrantWalk {
        const Policy *policy; /* borrowed */
        uint32_t network, endpoint, port, binary;
} GrantWalk;

bool cover_next_grant(GrantWalk *walk, CoverGrant *ret_grant);

/* What `narrow` allows of addresses, TLS and requests at a port that both have, `wide` allows. Host
 * and program are others' to compare. */
bool cover_endpoint(const PolicyEndpoint *wide, const PolicyEndpoint *narrow, uint16_t port);
/* Of that the requests: what `narrow` lets through once they are read. */
bool cover_requests(const PolicyEndpoint *wide, const PolicyEndpoint *narrow);

/* All that `narrow` grants, `wide` grants: host, addresses, port, program, TLS, requests. */
bool cover_grant(const CoverGrant *wide, const CoverGrant *narrow);

/* The access that a list of paths gives to one: that of the widest item on or above it; 0 when
 * there is none. */
PolicyAccess cover_access(const PolicyPath *paths, uint32_t count, const char *path);
