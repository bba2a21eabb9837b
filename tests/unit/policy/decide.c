/* SPDX-License-Identifier: Apache-2.0 */

/* tests/data/policy/decisions.cases: a policy, then "HOST PORT PROGRAM[<PARENT...] [ADDRESS] =
 * REASON [POLICY]". */
#include "policy/decide.h"

#include "tests/helpers/cases.h"
#include "tests/helpers/policies.h"

#include <stdio.h>
#include <stdlib.h>

#define PROGRAMS_MAX 8U

/* The next word of a line, or NULL. */
static char *word(char **line) {
        char *one;

        do
                one = strsep(line, " ");
        while (one != NULL && *one == '\0');
        return one;
}

static size_t split_programs(char *chain, PolicyProgram programs[static PROGRAMS_MAX]) {
        size_t count = 0;

        for (char *one = strsep(&chain, "<"); one != NULL && count < PROGRAMS_MAX;
                one = strsep(&chain, "<"))
                programs[count++].path = one;
        return count;
}

static bool ask(const Policy *policy, const Case *item, char *line) {
        char whole[256], *question = line, *answer = strstr(line, " = ");
        const char *reason, *network, *program, *address_text, *host, *port;
        PolicyProgram programs[PROGRAMS_MAX] = { 0 };
        PolicyRequest request = { .programs = programs };
        PolicyDecision decision;
        Address address;
        bool recorded;

        (void)snprintf(whole, sizeof(whole), "%s", line);
        assert_non_null(answer);
        *answer = '\0';
        answer += strlen(" = ");
        host = word(&question);
        port = word(&question);
        program = word(&question);
        address_text = word(&question);
        reason = word(&answer);
        recorded = strcmp(reason, "recorded") == 0;
        if (recorded)
                reason = word(&answer);
        network = word(&answer);

        request.host = host;
        request.port = (uint16_t)strtoul(port, NULL, 10);
        request.program_count =
                program != NULL ? split_programs((char *)(uintptr_t)program, programs) : 0;
        if (address_text != NULL) {
                assert_true(address_parse(address_text, &address));
                request.address = &address;
        }
        decision = policy_decide(policy, &request);
        if (strcmp(policy_reason_name(decision.reason), reason) == 0 &&
                decision.allowed == (recorded || strcmp(reason, "allowed") == 0) &&
                decision.recorded == recorded &&
                (network == NULL ||
                        (decision.network != NULL && strcmp(decision.network->key, network) == 0)))
                return true;
        print_error("%s: %s: %s: it is %s %s\n", item->file, item->name, whole,
                policy_reason_name(decision.reason),
                decision.network != NULL ? decision.network->key : "");
        return false;
}

static bool check(const Case *item) {
        cleanup(policy_unrefp) Policy *policy = policy_of(item->text);
        char *lines = item->expected;
        bool all = true;

        for (char *line = strsep(&lines, "\n"); line != NULL; line = strsep(&lines, "\n"))
                if (*line != '\0' && !ask(policy, item, line))
                        all = false;
        return all;
}

static void decides(void **state) {
        assert_int_equal(cases_run("tests/data/policy/decisions.cases", check), 18);
}

/* ---- what a table does not show ---- */

static const char linked[] = "version: 1\n"
                             "network_policies:\n"
                             "  index:\n"
                             "    endpoints: [{host: index.example.com, port: 443}]\n"
                             "    binaries: [{path: /usr/bin/curl}, {path: "
                             "/sandbox/.venv/bin/python}, {path: \"/opt/*\"}]\n";

static PolicyDecision ask_program(const Policy *policy, const PolicyIdentity *identities,
        const char *path, PolicyIdentity identity) {
        const PolicyProgram program = { .path = path, .identity = identity };
        const PolicyRequest request = {
                .host = "index.example.com",
                .port = 443,
                .programs = &program,
                .program_count = 1,
                .identities = identities,
        };

        return policy_decide(policy, &request);
}

/* A venv's python is a link: /proc/PID/exe names the interpreter. */
static void knows_a_program_by_its_inode(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(linked);
        PolicyIdentity identities[3] = { 0 };
        PolicyIdentity python = { .device = 5, .inode = 77 }, other = { .device = 6, .inode = 77 };

        assert_int_equal(policy->binary_count, 3);
        for (uint32_t i = 0; i < policy->networks[0].binary_count; i++)
                if (strcmp(policy->networks[0].binaries[i].path, "/sandbox/.venv/bin/python") == 0)
                        identities[policy->networks[0].binaries[i].number] = python;
        assert_true(ask_program(policy, identities, "/usr/bin/python3.11", python).allowed);
        assert_false(ask_program(policy, identities, "/usr/bin/python3.11", other).allowed);
        assert_false(ask_program(policy, NULL, "/usr/bin/python3.11", python).allowed);
        /* what was not found matches nothing that was not found */
        assert_false(ask_program(policy, identities, "/usr/bin/x", (PolicyIdentity){ 0 }).allowed);
        assert_true(ask_program(policy, identities, "/opt/x", (PolicyIdentity){ 0 }).allowed);
}

static void says_how_to_go_on(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(
                "version: 1\n"
                "network_policies:\n"
                "  own: {endpoints: [{host: localhost, port: 80}], binaries: [{path: /**}]}\n"
                "  skip: {endpoints: [{host: a.example.com, port: 443, tls: skip}], binaries: "
                "[{path: /**}]}\n"
                "  tls: {endpoints: [{host: b.example.com, port: 443}], binaries: [{path: "
                "/**}]}\n");
        const PolicyProgram sh = { .path = "/bin/sh" };
        PolicyRequest request = {
                .host = "localhost", .port = 80, .programs = &sh, .program_count = 1
        };
        PolicyDecision decision = policy_decide(policy, &request);

        assert_true(decision.allowed && decision.workload_loopback);
        request = (PolicyRequest){
                .host = "a.example.com", .port = 443, .programs = &sh, .program_count = 1
        };
        decision = policy_decide(policy, &request);
        assert_true(decision.allowed && !decision.workload_loopback && !decision.check_hello);
        request.host = "b.example.com";
        decision = policy_decide(policy, &request);
        assert_true(decision.allowed && decision.check_hello);
        assert_int_equal(decision.endpoint->position.line, 5);
}

static void lists_names_and_ports(void **state) {
        cleanup(policy_unrefp) Policy *policy =
                policy_of("version: 1\n"
                          "network_policies:\n"
                          "  a: {endpoints: [{host: \"*.example.com\", ports: [8443, 443]}], "
                          "binaries: [{path: /**}]}\n"
                          "  b: {endpoints: [{host: db, port: 5432}, {port: 443, allowed_ips: "
                          "[10.0.0.1]}]}\n");
        uint16_t ports[8] = { 0 };

        assert_int_equal(policy_ports(policy, ports, 2), 3);
        assert_int_equal(ports[0], 443);
        assert_int_equal(ports[1], 5432);
        assert_int_equal(ports[2], 0);
        assert_int_equal(policy_ports(policy, ports, 8), 3);
        assert_int_equal(ports[2], 8443);
        assert_true(policy_knows_host(policy, "x.example.com"));
        assert_true(policy_knows_host(policy, "DB."));
        assert_false(policy_knows_host(policy, "example.com"));
        assert_false(policy_knows_host(policy, "10.0.0.1"));
        assert_false(policy_knows_host(policy, "*.example.com"));
}

static void says_why(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(linked);
        const PolicyProgram curl = { .path = "/usr/bin/wget" };
        const PolicyRequest request = {
                .host = "index.example.com", .port = 443, .programs = &curl, .program_count = 1
        };
        PolicyDecision decision = policy_decide(policy, &request);
        char text[256], small[16];

        policy_decision_text(&decision, &request, text, sizeof(text));
        assert_string_equal(
                text, "policy 'index' allows index.example.com:443, but not for '/usr/bin/wget'");
        policy_decision_text(&decision, &request, small, sizeof(small));
        assert_string_equal(small, "policy 'index' ");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(decides),
                cmocka_unit_test(knows_a_program_by_its_inode),
                cmocka_unit_test(says_how_to_go_on),
                cmocka_unit_test(lists_names_and_ports),
                cmocka_unit_test(says_why),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
