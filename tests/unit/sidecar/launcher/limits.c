/* SPDX-License-Identifier: Apache-2.0 */

/* A session's limits, taken in a child: what is lowered cannot be raised again in here. */
#include "sidecar/launcher/limits.h"

#include "tests/helpers/unit.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELD 4096U /* of either resource, in the child, before the limits are taken */

static bool has(enum __rlimit_resource resource, rlim_t soft, rlim_t hard) {
        struct rlimit limit;

        return getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_cur == soft && limit.rlim_max == hard;
}

static bool hold(void) {
        const struct rlimit held = { HELD, HELD };

        return setrlimit(RLIMIT_CORE, &held) == 0 && setrlimit(RLIMIT_NOFILE, &held) == 0;
}

/* True when check() holds in a child that took these limits. */
static bool taken(const RecordLimit *limits, uint32_t count, bool (*check)(void)) {
        const struct rlimit files = { 1024, HELD };
        int status = -1;
        pid_t child = fork();

        if (child == 0)
                _exit(hold() && limits_take(limits, count, &files) == 0 && check() ? 0 : 1);
        return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool no_core(void) {
        return has(RLIMIT_CORE, 0, 0);
}

static bool files_as_before(void) {
        return has(RLIMIT_NOFILE, 1024, HELD);
}

static bool files_as_recorded(void) {
        return has(RLIMIT_NOFILE, 100, 200);
}

static bool files_bounded_by_ours(void) {
        return has(RLIMIT_NOFILE, HELD, HELD);
}

static void test_no_core_whatever_the_workload_has(void **state) {
        const RecordLimit core = { .resource = RLIMIT_CORE, .soft = 100, .hard = 100 };

        assert_true(taken(NULL, 0, no_core));
        assert_true(taken(&core, 1, no_core));
}

static void test_limits_of_the_workload(void **state) {
        const RecordLimit files = { .resource = RLIMIT_NOFILE, .soft = 100, .hard = 200 };
        const RecordLimit more = {
                .resource = RLIMIT_NOFILE, .soft = UINT64_MAX, .hard = UINT64_MAX
        };

        assert_true(taken(NULL, 0, files_as_before));
        assert_true(taken(&files, 1, files_as_recorded));
        assert_true(taken(&more, 1, files_bounded_by_ours));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_core_whatever_the_workload_has),
                cmocka_unit_test(test_limits_of_the_workload),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
