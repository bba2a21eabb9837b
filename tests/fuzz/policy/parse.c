/* SPDX-License-Identifier: Apache-2.0 */

/* A policy file. What is valid has to survive the way to another process, and to be the same there.
 */
#include "policy/parse.h"
#include "policy/ceiling.h"
#include "policy/effective.h"
#include "policy/flat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const Policy *policy) {
        cleanup(policy_unrefp) Policy *copy = NULL;
        Packer packed = packer_growing(POLICY_FLAT_SIZE_MAX);
        uint8_t before[SHA256_SIZE], after[SHA256_SIZE];

        policy_pack(policy, &packed);
        assert(!packed.failed);
        assert(policy_unpack(packed.data, packed.size, &copy, NULL) == 0);
        assert(policy_hash(policy, before) == 0 && policy_hash(copy, after) == 0);
        assert(memcmp(before, after, SHA256_SIZE) == 0);
        packer_done(&packed);
}

/* What passed the parser can be listed, and is not widened by a ceiling. */
static void check_use(const Policy *policy) {
        cleanup(policy_unrefp) Policy *bounded = NULL;
        cleanup_free PolicyPath *paths = NULL;
        uint32_t count;
        Error error;

        assert(policy_effective_paths(policy, NULL, &paths, &count, &error) == 0);
        for (uint32_t i = 0; i < count; i++)
                assert(paths[i].path[0] == '/' &&
                        (paths[i].access == POLICY_READ_ONLY || paths[i].path[1] != '\0'));
        assert(policy_bound(policy, policy, &bounded, &error) == 0 || error.kind == ERROR_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup(policy_unrefp) Policy *policy = NULL;
        Diagnostics diagnostics;

        if (policy_parse((const char *)data, size, &policy, &diagnostics) < 0) {
                assert(diagnostics.count > 0 && diagnostics.count <= diagnostics.total);
                return 0;
        }
        assert(diagnostics.total == 0);
        check_round_trip(policy);
        check_use(policy);
        return 0;
}
