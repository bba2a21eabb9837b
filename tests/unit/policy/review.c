/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `policy diff` is a gate: where it says that a change opens nothing, no request may be allowed by
 * the new policy that the old one denied. Tried with many policies from a small vocabulary, in
 * which rules meet often, each against itself with one part taken out or exchanged; and every
 * request of that vocabulary.
 */
#include "policy/compare.h"
#include "policy/decide.h"
#include "policy/parse.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 6000U
#define NETWORKS 3U
#define TEXT_MAX 2048U

static const char *const hosts[] = { "a.example.com", "*.example.com", "**.example.com",
        "**.b.example.com", "*-x.example.com", "10.1.2.3", "" };
static const char *const ports[] = { "443", "6443" };
static const char *const ips[] = { "", "[10.1.2.3]", "[10.0.0.0/8]", "[10.0.0.0/8, 10.1.2.3]",
        "[93.184.216.34]" };
static const char *const protocols[] = { "", "", "protocol: rest, access: full, ",
        "protocol: rest, access: read-only, " };
static const char *const settings[] = { "", "", "tls: skip, ", "enforcement: audit, " };
static const char *const binaries[] = { "/usr/bin/curl", "/bin/bash", "/usr/bin/*", "/**",
        "/usr/**/git" };

#define PICK(list) ((unsigned)(rand_r(seed) % (int)(sizeof(list) / sizeof(*(list)))))

typedef struct Rule {
        unsigned host, port, ip, protocol, setting, binary, second_binary;
        bool there, two;
} Rule;

static void pick_rule(Rule *rule, unsigned *seed) {
        *rule = (Rule){
                .host = PICK(hosts),
                .port = PICK(ports),
                .ip = PICK(ips),
                .protocol = PICK(protocols),
                .setting = PICK(settings),
                .binary = PICK(binaries),
                .second_binary = PICK(binaries),
                .two = rand_r(seed) % 3 == 0,
                .there = rand_r(seed) % 5 != 0,
        };
}

static void change_rule(Rule *rule, unsigned *seed) {
        switch (rand_r(seed) % 8) {
        case 0:
                rule->there = !rule->there;
                break;
        case 1:
                rule->host = PICK(hosts);
                break;
        case 2:
                rule->ip = PICK(ips);
                break;
        case 3:
                rule->protocol = PICK(protocols);
                break;
        case 4:
                rule->setting = PICK(settings);
                break;
        case 5:
                rule->binary = PICK(binaries);
                break;
        case 6:
                rule->two = !rule->two;
                break;
        default:
                rule->port = PICK(ports);
                break;
        }
}

static void write_rule(const Rule *rule, unsigned number, FILE *out) {
        if (!rule->there)
                return;
        fprintf(out, "  n%u: {endpoints: [{", number);
        if (hosts[rule->host][0] != '\0')
                fprintf(out, "host: '%s', ", hosts[rule->host]);
        if (ips[rule->ip][0] != '\0')
                fprintf(out, "allowed_ips: %s, ", ips[rule->ip]);
        fprintf(out, "%s%sport: %s}], binaries: [{path: '%s'}", protocols[rule->protocol],
                settings[rule->setting], ports[rule->port], binaries[rule->binary]);
        if (rule->two)
                fprintf(out, ", {path: '%s'}", binaries[rule->second_binary]);
        fputs("]}\n", out);
}

/* NULL where the rules contradict each other: such a file is refused. */
static Policy *make_policy(const Rule rules[static NETWORKS], char text[static TEXT_MAX]) {
        FILE *out = fmemopen(text, TEXT_MAX, "w");
        Diagnostics diagnostics;
        Policy *policy = NULL;

        assert_non_null(out);
        fputs("version: 1\nnetwork_policies:\n  none: {}\n", out);
        for (unsigned i = 0; i < NETWORKS; i++)
                write_rule(&rules[i], i, out);
        assert_int_equal(fclose(out), 0);
        (void)policy_parse(text, strlen(text), &policy, &diagnostics);
        return policy;
}

/* ---- every request ---- */

static const char *const asked[] = { "a.example.com", "a.b.example.com", "p-x.example.com",
        "10.1.2.3" };
static const char *const addresses[] = { "10.1.2.3", "10.9.9.9", "93.184.216.34", "1.1.1.1" };
static const uint16_t asked_ports[] = { 443, 6443 };
static const char *const chains[][3] = { { "/usr/bin/curl" }, { "/usr/bin/curl", "/bin/bash" },
        { "/bin/bash" }, { "/opt/x", "/bin/bash" }, { "/opt/x" }, { "/usr/lib/git", "/usr/bin/curl" },
        { "/opt/x", "/usr/bin/curl", "/bin/bash" } };

static bool opens(const Policy *old, const Policy *new, const PolicyRequest *request) {
        PolicyDecision before = policy_decide(old, request), after = policy_decide(new, request);

        return after.allowed && (!before.allowed || (before.check_hello && !after.check_hello));
}

static size_t chain_length(const char *const chain[static 3]) {
        size_t count = 0;

        while (count < 3 && chain[count] != NULL)
                count++;
        return count;
}

static bool opens_for_host(const Policy *old, const Policy *new, PolicyRequest *request) {
        for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
                Address address;

                assert_true(address_parse(addresses[i], &address));
                request->address = &address;
                if (opens(old, new, request))
                        return true;
        }
        request->address = NULL;
        return false;
}

static bool opens_for_chain(
        const Policy *old, const Policy *new, const char *const chain[static 3], char *said) {
        PolicyProgram programs[3] = { { .path = chain[0] }, { .path = chain[1] },
                { .path = chain[2] } };

        for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
                for (size_t j = 0; j < sizeof(asked_ports) / sizeof(*asked_ports); j++) {
                        PolicyRequest request = { .host = asked[i],
                                .port = asked_ports[j],
                                .programs = programs,
                                .program_count = chain_length(chain) };

                        if (!opens_for_host(old, new, &request))
                                continue;
                        (void)snprintf(said, 128, "%s:%u for %s", asked[i], asked_ports[j],
                                chain[0]);
                        return true;
                }
        return false;
}

static bool opens_anything(const Policy *old, const Policy *new, char *said) {
        for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++)
                if (opens_for_chain(old, new, chains[i], said))
                        return true;
        return false;
}

static void opens_nothing_unsaid(void **state) {
        unsigned seed = 20250101, compared = 0, quiet = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
                char old_text[TEXT_MAX], new_text[TEXT_MAX], said[128];
                cleanup(comparison_donep) Comparison comparison = { 0 };
                Rule rules[NETWORKS];

                for (unsigned i = 0; i < NETWORKS; i++)
                        pick_rule(&rules[i], &seed);
                cleanup(policy_unrefp) Policy *old = make_policy(rules, old_text);
                change_rule(&rules[rand_r(&seed) % (int)NETWORKS], &seed);
                cleanup(policy_unrefp) Policy *new = make_policy(rules, new_text);

                if (old == NULL || new == NULL)
                        continue;
                compared++;
                assert_int_equal(policy_compare(old, new, &comparison, NULL), 0);
                quiet += comparison.wider == 0;
                if (comparison.wider == 0 && opens_anything(old, new, said))
                        fail_msg("unsaid: %s\n%s=>\n%s", said, old_text, new_text);
        }
        print_message("%u changes, %u of them open nothing\n", compared, quiet);
        assert_true(compared > ROUNDS / 3 && quiet > compared / 10);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(opens_nothing_unsaid) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
