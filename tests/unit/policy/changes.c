/* SPDX-License-Identifier: Apache-2.0 */

/* tests/data/policy/changes.cases and ceilings.cases: two policies, and what is said of them
 * together. */
#include "policy/ceiling.h"
#include "policy/compare.h"
#include "policy/decide.h"
#include "policy/effective.h"
#include "tests/helpers/cases.h"
#include "tests/helpers/policies.h"

#include <stdio.h>
#include <stdlib.h>

#define SAID_MAX 8192U

/* Cuts "first => WORD second" in two. */
static char *second_of(char *text) {
        char *mark = strstr(text, "=> "), *second;

        assert_non_null(mark);
        second = strchr(mark, '\n') + 1;
        *mark = '\0';
        return second;
}

static bool same(const Case *item, const char *said) {
        if (strcmp(said, item->expected) == 0)
                return true;
        print_error("%s: %s\nexpected:\n%ssaid:\n%s", item->file, item->name, item->expected, said);
        return false;
}

static bool check_change(const Case *item) {
        const char *new_text = second_of(item->text);
        cleanup(policy_unrefp) Policy *old = policy_of(item->text);
        cleanup(policy_unrefp) Policy *new = policy_of(new_text);
        cleanup(comparison_donep) Comparison comparison = { 0 };
        static const char signs[] = { 0, '+', '-', '=' };
        char said[SAID_MAX] = "";
        size_t used = 0;

        assert_int_equal(policy_compare(old, new, &comparison, NULL), 0);
        for (const Change *change = comparison.first; change != NULL; change = change->next)
                used += (size_t)snprintf(
                        said + used, SAID_MAX - used, "%c %s\n", signs[change->kind], change->text);
        return same(item, said);
}

static void says_what_a_change_opens(void **state) {
        assert_int_equal(cases_run("tests/data/policy/changes.cases", check_change), 42);
}

static bool check_ceiling(const Case *item) {
        const char *ceiling_text = second_of(item->text);
        cleanup(policy_unrefp) Policy *policy = policy_of(item->text);
        cleanup(policy_unrefp) Policy *ceiling = policy_of(ceiling_text);
        cleanup(policy_unrefp) Policy *bounded = NULL;
        char said[SAID_MAX] = "";
        size_t used = 0;

        assert_int_equal(policy_bound(policy, ceiling, &bounded, NULL), 0);
        for (uint32_t i = 0; i < bounded->finding_count; i++) {
                const PolicyFinding *finding = &bounded->findings[i];

                if (finding->kind != POLICY_FINDING_BOUNDED)
                        continue;
                if (finding->position.line != 0)
                        used += (size_t)snprintf(said + used, SAID_MAX - used,
                                "%u:%u: ", finding->position.line, finding->position.column);
                used += (size_t)snprintf(said + used, SAID_MAX - used, "%s\n", finding->text);
        }
        return same(item, said);
}

static void says_what_a_ceiling_takes(void **state) {
        assert_int_equal(cases_run("tests/data/policy/ceilings.cases", check_ceiling), 7);
}

/* ---- and it does take it ---- */

static const char wide[] = "version: 1\n"
                           "filesystem_policy: {read_only: [/data], read_write: [/srv, /tmp]}\n"
                           "network_policies:\n"
                           "  web: {endpoints: [{host: \"*.example.com\", ports: [80, 443]}], "
                           "binaries: [{path: \"/usr/bin/*\"}]}\n";
static const char narrow[] = "version: 1\n"
                             "filesystem_policy: {include_workdir: false, read_only: "
                             "[/data/public, /srv], read_write: [/srv/new]}\n"
                             "network_policies:\n"
                             "  node: {endpoints: [{host: \"*.example.com\", port: 443}], "
                             "binaries: [{path: /usr/bin/curl}, {path: /usr/bin/git}]}\n";

static bool allows(const Policy *policy, const char *host, uint16_t port, const char *path) {
        const PolicyProgram program = { .path = path };
        const PolicyRequest request = {
                .host = host, .port = port, .programs = &program, .program_count = 1
        };

        return policy_decide(policy, &request).allowed;
}

static void both_have_to_allow(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(wide);
        cleanup(policy_unrefp) Policy *ceiling = policy_of(narrow);
        cleanup(policy_unrefp) Policy *bounded = NULL;
        const PolicyProgram wget = { .path = "/usr/bin/wget" };
        const PolicyRequest request = {
                .host = "a.example.com", .port = 443, .programs = &wget, .program_count = 1
        };
        uint16_t ports[4];

        assert_int_equal(policy_bound(policy, ceiling, &bounded, NULL), 0);
        assert_true(allows(bounded, "a.example.com", 443, "/usr/bin/curl"));
        assert_false(allows(bounded, "a.example.com", 80, "/usr/bin/curl"));
        assert_false(allows(bounded, "a.example.com", 443, "/usr/bin/wget"));
        assert_false(allows(bounded, "a.example.org", 443, "/usr/bin/curl"));
        assert_int_equal(policy_decide(bounded, &request).reason, POLICY_REASON_CEILING);
        assert_int_equal(policy_ports(bounded, ports, 4), 1);
        assert_int_equal(ports[0], 443);
        assert_true(policy_knows_host(bounded, "a.example.com"));
        assert_false(policy_knows_host(bounded, "a.example.org"));
}

/* What is let through to be recorded is let through by both, too. */
static void learning_stays_below_the_ceiling(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(
                "version: 1\n"
                "network_policies:\n"
                "  web: {endpoints: [{host: \"*.example.com\", port: 443, enforcement: audit}]}\n");
        cleanup(policy_unrefp) Policy *ceiling = policy_of(narrow);
        cleanup(policy_unrefp) Policy *bounded = NULL;

        assert_int_equal(policy_bound(policy, ceiling, &bounded, NULL), 0);
        assert_true(allows(policy, "a.example.com", 443, "/usr/bin/wget"));
        assert_true(allows(bounded, "a.example.com", 443, "/usr/bin/curl"));
        assert_false(allows(bounded, "a.example.com", 443, "/usr/bin/wget"));
}

static PolicyAccess access_of(const PolicyPath *paths, uint32_t count, const char *path) {
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(paths[i].path, path) == 0)
                        return paths[i].access;
        return 0;
}

static void paths_are_intersected(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(wide);
        cleanup(policy_unrefp) Policy *ceiling = policy_of(narrow);
        cleanup(policy_unrefp) Policy *bounded = NULL;
        cleanup_free PolicyPath *paths = NULL;
        uint32_t count = 0;

        assert_int_equal(policy_bound(policy, ceiling, &bounded, NULL), 0);
        assert_int_equal(policy_effective_paths(bounded, NULL, &paths, &count, NULL), 0);
        assert_int_equal(access_of(paths, count, "/data"), 0);
        assert_int_equal(access_of(paths, count, "/data/public"), POLICY_READ_ONLY);
        assert_int_equal(access_of(paths, count, "/srv"), POLICY_READ_ONLY);
        assert_int_equal(access_of(paths, count, "/srv/new"), POLICY_READ_WRITE);
        assert_int_equal(access_of(paths, count, "/tmp"), 0);
        assert_int_equal(access_of(paths, count, "/sandbox"), 0);
        assert_int_equal(access_of(paths, count, "/dev/null"), POLICY_READ_WRITE);
}

static void the_stricter_mode_stays(void **state) {
        cleanup(policy_unrefp) Policy *lenient =
                policy_of("version: 1\nlandlock: {compatibility: best_effort}\n");
        cleanup(policy_unrefp) Policy *strict = policy_of("version: 1\n");
        cleanup(policy_unrefp) Policy *bounded = NULL;
        cleanup(policy_unrefp) Policy *other = NULL;

        assert_int_equal(policy_bound(lenient, strict, &bounded, NULL), 0);
        assert_int_equal(bounded->landlock, POLICY_LANDLOCK_HARD);
        assert_int_equal(policy_bound(strict, lenient, &other, NULL), 0);
        assert_int_equal(other->landlock, POLICY_LANDLOCK_HARD);
}

static void a_policy_is_bounded_once(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of(wide);
        cleanup(policy_unrefp) Policy *ceiling = policy_of(narrow);
        cleanup(policy_unrefp) Policy *bounded = NULL;
        Policy *again = NULL;

        assert_int_equal(policy_bound(policy, ceiling, &bounded, NULL), 0);
        assert_int_equal(policy_bound(bounded, ceiling, &again, NULL), -1);
        assert_int_equal(policy_bound(policy, bounded, &again, NULL), -1);
        assert_null(again);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_what_a_change_opens),
                cmocka_unit_test(says_what_a_ceiling_takes),
                cmocka_unit_test(both_have_to_allow),
                cmocka_unit_test(learning_stays_below_the_ceiling),
                cmocka_unit_test(paths_are_intersected),
                cmocka_unit_test(the_stricter_mode_stays),
                cmocka_unit_test(a_policy_is_bounded_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
