/* SPDX-License-Identifier: Apache-2.0 */

/* A packed policy from somebody else: refused, or one that can be used. */
#include "policy/flat.h"
#include "policy/decide.h"
#include "policy/effective.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const hosts[] = { "api.example.com", "localhost", "10.0.0.1" };
        const PolicyProgram program = { .path = "/usr/bin/curl" };
        cleanup(policy_unrefp) Policy *policy = NULL;
        cleanup_free PolicyPath *paths = NULL;
        cleanup_free PolicyIdentity *identities = NULL;
        uint32_t count = 0;

        if (policy_unpack(data, size, &policy, NULL) < 0)
                return 0;
        identities = calloc((size_t)policy->binary_count + 1, sizeof(*identities));
        assert(identities != NULL);
        for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
                const PolicyRequest request = { .host = hosts[i],
                        .port = 443,
                        .programs = &program,
                        .program_count = 1,
                        .identities = identities };
                PolicyDecision decision = policy_decide(policy, &request);
                char text[512];

                policy_decision_text(&decision, &request, text, sizeof(text));
        }
        if (policy_effective_paths(policy, NULL, &paths, &count, NULL) == 0)
                for (uint32_t i = 0; i < count; i++)
                        assert(paths[i].path[0] == '/');
        return 0;
}
