/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A policy for those who hold a privilege: the text, and the node's ceiling where there is one, are
 * parsed in a jail (base/jail.h); what comes back is a checked record. libyaml runs in the child
 * only. About 1 ms.
 */
#include <stddef.h>

#include "base/error.h"
#include "base/jail.h"
#include "policy/policy.h"

typedef struct PolicyText {
        const char *name; /* for messages: "policy.yaml" */
        const char *text;
        size_t size;
} PolicyText;

/* `ceiling` may be NULL. The error of a bad text is "NAME:LINE:COLUMN: ... (and N more)",
 * ERROR_INPUT; a bad ceiling is an error too, never no ceiling. */
int policy_load(const PolicyText *text, const PolicyText *ceiling, JailIdentity identity,
        Policy **ret_policy, Error *error);
