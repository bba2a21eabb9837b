/* SPDX-License-Identifier: Apache-2.0 */

/* tests/data/policy/paths.cases: a policy, then the effective list, "PATH ro|rw ORIGIN [must
 * exist]". */
#include "policy/effective.h"

#include "tests/helpers/cases.h"
#include "tests/helpers/policies.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_MAX 4096U

static void describe(const PolicyPath *paths, uint32_t count, char text[static LIST_MAX]) {
        size_t used = 0;

        text[0] = '\0';
        for (uint32_t i = 0; i < count; i++)
                used += (size_t)snprintf(text + used, LIST_MAX - used, "%s %s %s%s\n",
                        paths[i].path, paths[i].access == POLICY_READ_WRITE ? "rw" : "ro",
                        policy_origin_name(paths[i].origin),
                        paths[i].must_exist ? " must exist" : "");
}

static bool check(const Case *item) {
        cleanup(policy_unrefp) Policy *policy = policy_of(item->text);
        cleanup_free PolicyPath *paths = NULL;
        const char *workdir = strchr(item->word, ' ') + 1;
        char text[LIST_MAX];
        uint32_t count = 0;
        Error error = { 0 };
        int r = policy_effective_paths(policy, workdir, &paths, &count, &error);

        if (r == 0)
                describe(paths, count, text);
        else
                (void)snprintf(text, sizeof(text), "%s\n", error.text);
        if ((r == 0) == (strncmp(item->word, "workdir", 7) == 0) &&
                strcmp(text, item->expected) == 0)
                return true;
        print_error(
                "%s: %s\nexpected:\n%sit is:\n%s", item->file, item->name, item->expected, text);
        return false;
}

static void lists_what_a_session_gets(void **state) {
        assert_int_equal(cases_run("tests/data/policy/paths.cases", check), 8);
}

static void has_a_working_directory_of_its_own(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_default();
        cleanup_free PolicyPath *paths = NULL;
        uint32_t count = 0, found = 0;

        assert_int_equal(policy_effective_paths(policy, NULL, &paths, &count, NULL), 0);
        for (uint32_t i = 0; i < count; i++)
                found += strcmp(paths[i].path, "/sandbox") == 0 &&
                         paths[i].access == POLICY_READ_WRITE;
        assert_int_equal(found, 1);
}

/* Found by the fuzzer: the file was valid, and no session could start under it. */
static void leaves_out_a_baseline_that_would_widen(void **state) {
        cleanup(policy_unrefp) Policy *policy =
                policy_of("version: 1\nfilesystem_policy: {read_only: [/dev/pts/7, /dev/shm]}\n");
        cleanup_free PolicyPath *paths = NULL;
        uint32_t count = 0;

        assert_int_equal(policy_effective_paths(policy, NULL, &paths, &count, NULL), 0);
        for (uint32_t i = 0; i < count; i++) {
                assert_string_not_equal(paths[i].path, "/dev/pts");
                if (strcmp(paths[i].path, "/dev/shm") == 0)
                        assert_int_equal(paths[i].access, POLICY_READ_ONLY);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_what_a_session_gets),
                cmocka_unit_test(has_a_working_directory_of_its_own),
                cmocka_unit_test(leaves_out_a_baseline_that_would_widen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
