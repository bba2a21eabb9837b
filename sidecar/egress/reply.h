/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reply: what a client of the explicit proxy is told when it does not get through: HTTP with a JSON
 * body that says which rule is missing and what would be allowed, for a person or a program to act
 * on. docs/formats/egress.md has the fields. Pure.
 *
 * Never 407: nobody logs in here, and clients that are asked for a password would ask their user.
 */
#include <stddef.h>
#include <stdint.h>

#include "policy/decide.h"
#include "sidecar/egress/destination.h"

/* Bytes; typically 600. Every text in it is cut to a length of its own, so that the sum fits. */
#define REPLY_SIZE_MAX 49152U

typedef struct Refusal {
        unsigned status;                /* 400, 403, 405, 411, 431, 501, 502, 503, 504, 505 */
        const char *error;              /* one word: "policy_denied" */
        const char *detail;             /* one sentence */
        const char *reason;             /* one word of policy/decide.h; NULL = none */
        const Destination *destination; /* NULL when it could not be read */
        const char *binary;             /* "" = unknown */
        const PolicyDecision *decision; /* NULL when no policy was asked */
        uint32_t generation;
} Refusal;

/* Returns the size of the whole response. */
size_t reply_write(const Refusal *refusal, char ret_text[static REPLY_SIZE_MAX]);
