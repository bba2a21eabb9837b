/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The child parses both texts and intersects them, so that the bytes that come back are one record
 * whatever was asked. Policy and ceiling are believed as far as policy_unpack() checks them, no
 * further.
 */
#include "policy/load.h"

#include "policy/ceiling.h"
#include "policy/flat.h"
#include "policy/parse.h"

#include <stdlib.h>

#define MEMORY_MAX                                                                                 \
        ((size_t)128 * 1024 * 1024) /* of address space; the parser itself keeps below 16 MiB */
#define DEADLINE_MS 5000U

typedef struct Texts {
        const PolicyText *text, *ceiling;
} Texts;

static int parse_text(const PolicyText *text, Policy **ret_policy, Error *error) {
        Diagnostics diagnostics;

        if (policy_parse(text->text, text->size, ret_policy, &diagnostics) < 0)
                return diagnostics_to_error(&diagnostics, text->name, error);
        return 0;
}

/* Runs in the jail. */
static int parse_texts(const void *input, Packer *result, Error *error) {
        const Texts *texts = input;
        cleanup(policy_unrefp) Policy *policy = NULL;
        cleanup(policy_unrefp) Policy *ceiling = NULL;
        cleanup(policy_unrefp) Policy *bounded = NULL;

        if (parse_text(texts->text, &policy, error) < 0)
                return -1;
        if (texts->ceiling == NULL) {
                policy_pack(policy, result);
                return 0;
        }
        if (parse_text(texts->ceiling, &ceiling, error) < 0)
                return error_context(error, "the node's ceiling");
        if (policy_bound(policy, ceiling, &bounded, error) < 0)
                return -1;
        policy_pack(bounded, result);
        return 0;
}

int policy_load(const PolicyText *text, const PolicyText *ceiling, JailIdentity identity,
        Policy **ret_policy, Error *error) {
        const Jail jail = {
                .name = "policy parser",
                .identity = identity,
                .memory_max = MEMORY_MAX,
                .result_max = POLICY_FLAT_SIZE_MAX,
                .deadline_ms = DEADLINE_MS,
        };
        const Texts texts = { .text = text, .ceiling = ceiling };
        cleanup_free void *record = NULL;
        size_t size;

        if (jail_run(&jail, parse_texts, &texts, &record, &size, error) < 0)
                return -1;
        return policy_unpack(record, size, ret_policy, error);
}
