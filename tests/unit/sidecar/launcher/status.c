/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/status.h"

#include "tests/helpers/unit.h"

static LandlockRule rules[3];

static void expect(const Target *target, LandlockOutcome outcome, const char *text) {
        char got[STATUS_TEXT_MAX];

        status_describe(target, &outcome, got);
        assert_string_equal(got, text);
}

static void words(void **state) {
        Target target = { .label = "", .landlock = { .abi = 9, .rules = rules, .count = 3 } };
        const LandlockOutcome nothing = { 0 };
        const LandlockOutcome some = { .skipped.byte[0] = 5, .followed.byte[0] = 2 };

        expect(&target, nothing, "");
        target.landlock.abi = 7;
        expect(&target, nothing, "limits: unix-sockets");
        expect(&target, some,
                "degraded: paths missing: 2; links followed: 1; limits: unix-sockets");
        target.label = "the sidecar's SELinux label, not the workload's";
        target.landlock.abi = 0;
        expect(&target, some,
                "degraded: no Landlock; degraded: paths missing: 2; degraded: the sidecar's "
                "SELinux label, not the workload's; links followed: 1; limits: unix-sockets");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(words) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
