/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Text -> nodes (document) -> drafts (read, by the key table) -> model (validate, network,
 * requests). The nodes have an arena of their own, which is gone when the model is done. The limits
 * add up, with libyaml's buffers, to less than the 16 MiB that are promised.
 */
#include "policy/parse.h"

#include "base/arena.h"
#include "policy/build.h"
#include "policy/document.h"

#define NODES_SIZE_MAX ((size_t)7 * 1024 * 1024)
#define MODEL_SIZE_MAX ((size_t)7 * 1024 * 1024)

static int build_model(Arena *arena, const Node *root, Policy *fields, Diagnostics *diagnostics) {
        Build build = { .arena = arena, .diagnostics = diagnostics, .policy = fields };

        if (build_policy(&build, root) < 0 || diagnostics->total > 0)
                return -1;
        return build_store_findings(&build);
}

static int parse(const char *text, size_t size, Policy **ret_policy, Diagnostics *diagnostics) {
        cleanup(arena_freep) Arena *nodes = arena_new(NODES_SIZE_MAX);
        cleanup(arena_freep) Arena *model = arena_new(MODEL_SIZE_MAX);
        Policy fields = policy_restrictive;
        Node *root = NULL;
        Policy *policy;

        if (nodes == NULL || model == NULL)
                return diagnostics_add(
                        diagnostics, (PolicyPosition){ 0 }, "not enough memory to read it");
        if (size > POLICY_TEXT_MAX)
                return diagnostics_add(diagnostics, (PolicyPosition){ 0 },
                        "the file is larger than %zu bytes (%zu)", POLICY_TEXT_MAX, size);
        if (document_parse(nodes, text, size, &root, diagnostics) < 0)
                return -1;
        if (root == NULL)
                return diagnostics_add(diagnostics, (PolicyPosition){ 1, 1 },
                        "the file is empty; a policy needs at least 'version: 1'");
        if (build_model(model, root, &fields, diagnostics) < 0)
                return -1;
        policy = policy_seal(take_ptr(model), &fields);
        if (policy == NULL)
                return diagnostics_add(diagnostics, (PolicyPosition){ 0 },
                        "the file takes more memory than a policy may");
        *ret_policy = policy;
        return 0;
}

int policy_parse(const char *text, size_t size, Policy **ret_policy, Diagnostics *diagnostics) {
        int r;

        *diagnostics = (Diagnostics){ 0 };
        r = parse(text, size, ret_policy, diagnostics);
        diagnostics_sort(diagnostics);
        return r;
}
