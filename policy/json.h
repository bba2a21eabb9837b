/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Answers about policies as JSON, for programs: `--output json` of the policy verbs. A function
 * that returns text returns one malloc'ed, indented object, or NULL without memory. Keys are the
 * words of the policy file; places are {"line", "column"}.
 */
#include <stdio.h>

#include "policy/decide.h"
#include "policy/diagnostic.h"
#include "policy/policy.h"

/* {"file", "valid", "hash", "findings": [...]}, or {"file", "valid", "errors": [...], "more"}.
 * policy is NULL when it is not valid. */
char *json_check(const char *file, const Policy *policy, const Diagnostics *diagnostics);

/* The effective policy, with a line end behind it. `paths` is what policy_effective_paths() gave.
 * 0, or -ENOMEM; what went wrong with `out` is to be asked of it. */
int json_show(FILE *out, const char *file, const Policy *policy, const PolicyPath *paths,
        uint32_t path_count);

/* {"host", "port", "binary", "allowed", "recorded", "reason", "text", "policy", "line", "column"}
 */
char *json_decision(const PolicyRequest *request, const PolicyDecision *decision);
/* {"path", "access", "by": [{"path", "access", "origin", "line", "column"}]}; `by` are those of
 * `paths` that cover it. */
char *json_path(const char *path, const PolicyPath *paths, uint32_t count);

struct Comparison;
/* {"wider": [...], "narrower": [...], "other": [...]} */
char *json_comparison(const struct Comparison *comparison);

/* The JSON Schema of policy files, from the key table. */
char *json_schema(void);
