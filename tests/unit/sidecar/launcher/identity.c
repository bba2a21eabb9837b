/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/identity.h"

#include "tests/helpers/unit.h"

#include <string.h>

static int check(uint32_t uid, uint32_t gid, uint32_t group, Error *error) {
        const RecordIdentity identity = {
                .uid = uid,
                .gid = gid,
                .groups = { 44, group },
                .group_count = 2,
        };

        return identity_check(&identity, error);
}

static void takes_ordinary_ids(void **state) {
        static const uint32_t ids[] = { 1, 1000, 64699, 64703, UINT32_MAX - 1 };

        for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
                Error error = { 0 };

                if (check(ids[i], ids[i], ids[i], &error) < 0)
                        fail_msg("%s", error.text);
        }
}

/* Whoever the record says, and whoever wrote the record. */
static void refuses_root_nobody_and_the_sidecar(void **state) {
        static const uint32_t ids[] = { 0, UINT32_MAX, 64700, 64701, 64702 };

        for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
                const struct {
                        uint32_t uid, gid, group;
                        const char *kind;
                } places[] = {
                        { ids[i], 5, 5, "uid" },
                        { 5, ids[i], 5, "gid" },
                        { 5, 5, ids[i], "group" },
                };

                for (size_t k = 0; k < sizeof(places) / sizeof(*places); k++) {
                        Error error = { 0 };

                        assert_int_equal(
                                check(places[k].uid, places[k].gid, places[k].group, &error), -1);
                        assert_int_equal(error.kind, ERROR_INPUT);
                        assert_non_null(strstr(error.text, places[k].kind));
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_ordinary_ids),
                cmocka_unit_test(refuses_root_nobody_and_the_sidecar),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
