/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/targets.h"

#include "sidecar/wire/wire.h"
#include "tests/helpers/unit.h"

static void test_targets(void **state) {
        const char *containers[] = { "first", "second", NULL };
        const char *none[] = { NULL };
        Targets targets = { 0 };
        Error error;

        assert_true(targets_is_pod(&targets, "any", "pod")); /* nothing was said yet */
        assert_int_equal(
                targets_set(&targets, &(WireTargets){ "ns", "pod", containers }, &error), 0);
        assert_int_equal(targets.count, 2);
        assert_string_equal(targets.containers[0], "first");
        assert_true(targets_has_container(&targets, "second"));
        assert_false(targets_has_container(&targets, "secon"));
        assert_true(targets_is_namespace(&targets, "ns"));
        assert_false(targets_is_namespace(&targets, "other"));
        assert_true(targets_is_pod(&targets, "ns", "pod"));
        assert_false(targets_is_pod(&targets, "ns", "other"));
        assert_false(targets_is_pod(&targets, "other", "pod"));
        assert_int_equal(targets_set(&targets, &(WireTargets){ "", "pod", none }, &error), 0);
        assert_int_equal(targets.count, 0);
        assert_true(targets_is_pod(&targets, "any", "pod"));
        targets_done(&targets);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_targets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
