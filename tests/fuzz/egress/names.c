/* SPDX-License-Identifier: Apache-2.0 */

/* A DNS query of the sandbox. An answer is one, has the query's number, and never more than one
 * record. */
#include "sidecar/egress/names.h"
#include "policy/parse.h"

#include <stdlib.h>

static const char text[] = "version: 1\n"
                           "network_policies: {a: {endpoints: [{host: web.test, port: 1}, "
                           "{host: '**.wild.test', port: 1}], binaries: [{path: /**}]}}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static Pool *pool;
        static Policy *policy;
        Diagnostics diagnostics = { 0 };
        uint8_t answer[NAMES_ANSWER_MAX];
        NamesOutcome outcome;
        size_t answered;

        if (pool == NULL)
                pool = pool_new();
        if (policy == NULL && policy_parse(text, sizeof(text) - 1, &policy, &diagnostics) < 0)
                abort();
        answered = names_answer(pool, policy, 0, data, size, answer, &outcome);
        if (answered == 0)
                return 0;
        if (answered < 12 || answer[0] != data[0] || answer[1] != data[1] ||
                (answer[2] & 0x80) == 0 || answer[6] != 0 || answer[7] > 1)
                abort();
        return 0;
}
