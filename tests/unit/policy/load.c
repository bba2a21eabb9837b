/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/load.h"

#include "policy/decide.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char good[] = "version: 1\n"
                           "network_policies:\n"
                           "  web:\n"
                           "    endpoints: [{host: api.example.com, port: 443}, {host: "
                           "other.example.com, port: 443}]\n"
                           "    binaries: [{path: /usr/bin/curl}]\n";
static const char bad[] = "version: 1\nlandlok: {}\nproces: {}\n";
static const char narrow[] =
        "version: 1\n"
        "network_policies:\n"
        "  node: {endpoints: [{host: api.example.com, port: 443}], binaries: [{path: /**}]}\n";

static PolicyText text_of(const char *name, const char *text) {
        return (PolicyText){ .name = name, .text = text, .size = strlen(text) };
}

static JailIdentity identity(void) {
        return geteuid() == 0 ? JAIL_DROP_IDENTITY : JAIL_NOTHING_TO_DROP;
}

static bool allows(const Policy *policy, const char *host) {
        const PolicyProgram curl = { .path = "/usr/bin/curl" };
        const PolicyRequest request = {
                .host = host, .port = 443, .programs = &curl, .program_count = 1
        };

        return policy_decide(policy, &request).allowed;
}

static void loads_through_the_jail(void **state) {
        PolicyText text = text_of("policy.yaml", good);
        cleanup(policy_unrefp) Policy *policy = NULL;
        Error error = { 0 };

        assert_int_equal(policy_load(&text, NULL, identity(), &policy, &error), 0);
        assert_true(allows(policy, "api.example.com"));
        assert_true(allows(policy, "other.example.com"));
        assert_false(allows(policy, "example.com"));
}

static void says_where_a_text_is_wrong(void **state) {
        PolicyText text = text_of("policy.yaml", bad);
        Policy *policy = NULL;
        Error error = { 0 };

        assert_int_equal(policy_load(&text, NULL, identity(), &policy, &error), -1);
        assert_null(policy);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_string_equal(error.text, "policy.yaml:2:1: unknown key 'landlok' in policy; did you "
                                        "mean 'landlock'? (and 1 more)");
}

static void bounds_by_the_ceiling(void **state) {
        PolicyText text = text_of("policy.yaml", good), ceiling = text_of("ceiling.yaml", narrow);
        cleanup(policy_unrefp) Policy *policy = NULL;
        Error error = { 0 };

        assert_int_equal(policy_load(&text, &ceiling, identity(), &policy, &error), 0);
        assert_true(allows(policy, "api.example.com"));
        assert_false(allows(policy, "other.example.com"));
}

static void a_bad_ceiling_is_no_missing_ceiling(void **state) {
        PolicyText text = text_of("policy.yaml", good), ceiling = text_of("ceiling.yaml", bad);
        Policy *policy = NULL;
        Error error = { 0 };

        assert_int_equal(policy_load(&text, &ceiling, identity(), &policy, &error), -1);
        assert_non_null(strstr(error.text, "the node's ceiling: ceiling.yaml:2:1: "));
}

static void is_fast(void **state) {
        PolicyText text = text_of("policy.yaml", good);
        struct timespec before, after;

        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        for (unsigned i = 0; i < 50; i++) {
                cleanup(policy_unrefp) Policy *policy = NULL;

                assert_int_equal(policy_load(&text, NULL, identity(), &policy, NULL), 0);
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        print_message(
                "one load: %.2f ms\n", ((double)(after.tv_sec - before.tv_sec) * 1e3 +
                                               (double)(after.tv_nsec - before.tv_nsec) / 1e6) /
                                               50);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loads_through_the_jail),
                cmocka_unit_test(says_where_a_text_is_wrong),
                cmocka_unit_test(bounds_by_the_ceiling),
                cmocka_unit_test(a_bad_ceiling_is_no_missing_ceiling),
                cmocka_unit_test(is_fast),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
