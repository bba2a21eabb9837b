/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * PolicyIndex: finds the endpoints that speak for a host and port without looking at the others.
 * Private to decide.c and policy.c.
 *
 * Host patterns are in a trie by reversed labels ("com", "example", "api"); an edge is found by
 * hash. The places where patterns end are terminals, and the endpoints of a terminal and port are a
 * chain that is found by hash too. So is a program among those that a network policy names; only
 * its patterns are tried one by one.
 */
#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct Arena;
typedef struct PolicyIndex PolicyIndex;

typedef struct PolicyEntry PolicyEntry;
struct PolicyEntry {
        const PolicyNetwork *network;
        const PolicyEndpoint *endpoint;
        const PolicyEntry *next; /* of the same terminal and port */
};

/* Over networks and endpoints of the policy, not of its ceiling. In the arena; NULL without memory.
 */
const PolicyIndex *policy_index_new(struct Arena *arena, const Policy *policy);

/* Called for each terminal that the host reaches, with the chain of that port (NULL: other ports
 * only). `any` is some entry of the terminal. */
typedef void PolicyVisitor(void *context, const PolicyEntry *any, const PolicyEntry *chain);

/* `host` is a normal name (policy/pattern.h). */
void policy_index_walk_name(const PolicyIndex *index, const char *host, uint16_t port,
        PolicyVisitor *visit, void *context);
/* A literal address: endpoints that name it (host is its canonical text). */
void policy_index_walk_address(const PolicyIndex *index, const char *host, uint16_t port,
        PolicyVisitor *visit, void *context);
/* For policy_index_program(): once for a path, however many policies are asked. */
uint32_t policy_index_hash(const char *path);
/* The binary of the network that is this very path, or else the first pattern that matches it; NULL:
 * none. Identities are the caller's to compare. */
const PolicyBinary *policy_index_program(
        const PolicyIndex *index, const PolicyNetwork *network, const char *path, uint32_t hash);

/* Endpoints without host, whose allowed_ips say it all. */
void policy_index_walk_hostless(
        const PolicyIndex *index, uint16_t port, PolicyVisitor *visit, void *context);
