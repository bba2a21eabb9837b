/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two policies, with a line "=>" between them. Where `policy diff` would say that the second opens
 * nothing, no connection is allowed that the first denies: tried with the second one's own hosts,
 * ports and programs.
 */
#include "policy/compare.h"
#include "policy/decide.h"
#include "policy/parse.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIED_MAX 6U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text that the pattern matches: 'x' for each wildcard. */
static void fill_in(const char *pattern, char *ret_text, size_t room) {
        size_t used = 0;

        for (; *pattern != '\0' && used + 1 < room; pattern++)
                if (pattern[0] != '*' || pattern[1] != '*')
                        ret_text[used++] = *pattern == '*' ? 'x' : *pattern;
        ret_text[used] = '\0';
}

static bool opens(const Policy *old, const Policy *new, const PolicyRequest *request) {
        PolicyDecision before = policy_decide(old, request), after = policy_decide(new, request);

        return after.allowed && (!before.allowed || (before.check_hello && !after.check_hello));
}

static void try_addresses(const Policy *old, const Policy *new, PolicyRequest *request) {
        static const char *const texts[] = { "10.1.2.3", "192.168.0.1", "1.1.1.1", "fd00::1" };

        request->address = NULL;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                Address address;

                assert(address_parse(texts[i], &address));
                request->address = &address;
                assert(!opens(old, new, request));
        }
        request->address = NULL;
}

/* As what is asked, and as what started something that no rule names, or the other network's. */
static void try_programs(const Policy *old, const Policy *new, const PolicyEndpoint *endpoint,
        const PolicyNetwork *network, const PolicyNetwork *other) {
        char host[512], path[5000], child[5000];
        PolicyProgram programs[2] = { { .path = child }, { .path = path } };
        PolicyRequest request = { .host = host, .programs = programs, .program_count = 2 };

        fill_in(endpoint->host, host, sizeof(host));
        for (uint32_t i = 0; i < endpoint->port_count && i < TRIED_MAX; i++)
                for (uint32_t j = 0; j < network->binary_count && j < TRIED_MAX; j++) {
                        request.port = endpoint->ports[i];
                        fill_in(network->binaries[j].path, path, sizeof(path));
                        (void)snprintf(child, sizeof(child), "/nobody");
                        for (uint32_t k = 0; k <= other->binary_count && k < TRIED_MAX; k++) {
                                if (k > 0)
                                        fill_in(other->binaries[k - 1].path, child, sizeof(child));
                                try_addresses(old, new, &request);
                        }
                }
}

static void try_all(const Policy *old, const Policy *new) {
        for (uint32_t i = 0; i < new->network_count && i < TRIED_MAX; i++)
                for (uint32_t j = 0; j < new->networks[i].endpoint_count && j < TRIED_MAX; j++)
                        for (uint32_t k = 0; k < old->network_count && k < TRIED_MAX; k++)
                                try_programs(old, new, &new->networks[i].endpoints[j],
                                        &new->networks[i], &old->networks[k]);
}

static Policy *parse(const uint8_t *data, size_t size) {
        Policy *policy = NULL;
        Diagnostics diagnostics;

        return policy_parse((const char *)data, size, &policy, &diagnostics) == 0 ? policy : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *mark = memmem(data, size, "\n=>\n", 4);
        cleanup(policy_unrefp) Policy *old = NULL;
        cleanup(policy_unrefp) Policy *new = NULL;
        cleanup(comparison_donep) Comparison comparison = { 0 };

        if (mark == NULL)
                return 0;
        old = parse(data, (size_t)(mark + 1 - data));
        new = old != NULL ? parse(mark + 4, size - (size_t)(mark + 4 - data)) : NULL;
        if (new == NULL)
                return 0;
        assert(policy_compare(old, new, &comparison, NULL) == 0);
        if (comparison.wider == 0)
                try_all(old, new);
        return 0;
}
