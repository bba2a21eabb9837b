/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names: the sandbox's name server. It answers from the policy and the pool alone: no query of a
 * sandbox ever leaves, so a name cannot carry data out.
 *
 * A name that some rule names: A and AAAA are its synthetic addresses, every other type is empty.
 * An address of the pool has its name as PTR. localhost is loopback (RFC 6761). Everything else:
 * NXDOMAIN. Pure; the only file that knows ldns.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/pattern.h"
#include "sidecar/egress/pool.h"

struct Policy;

#define NAMES_QUERY_MAX 4096U /* bytes; a longer one over TCP is dropped with its connection */
#define NAMES_ANSWER_MAX                                                                           \
        1232U /* fits every path without fragments, and one name with one record always fits it */
#define NAMES_TTL 30U /* seconds */

typedef enum NamesVerdict {
        NAMES_ANSWERED = 1, /* with an address or a name */
        NAMES_EMPTY,        /* the name is known, it has no record of that type */
        NAMES_UNKNOWN,      /* NXDOMAIN: no rule names it */
        NAMES_BROKEN,       /* FORMERR, NOTIMP, REFUSED: not a question we take */
        NAMES_SILENT,       /* nothing is answered: too short, or itself an answer */
} NamesVerdict;

typedef struct NamesOutcome {
        NamesVerdict verdict;
        char host[HOST_SIZE]; /* what was asked for, normalised; "" when it is no host name */
        char type[12];        /* "AAAA", "TYPE65535" */
        bool pinned;          /* the policy writes the name out; else a wildcard covers it */
        bool fresh; /* a wildcard's name that was not in the pool: somebody's choice of letters, so
                       it is audited */
} NamesOutcome;

/* Answers one query. Returns the size of the answer in ret_answer, 0 for none. */
size_t names_answer(Pool *pool, const struct Policy *policy, int64_t now, const uint8_t *query,
        size_t size, uint8_t ret_answer[static NAMES_ANSWER_MAX], NamesOutcome *ret_outcome);
