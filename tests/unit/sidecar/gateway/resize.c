/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/resize.h"

#include "tests/helpers/unit.h"

#include <string.h>

static const struct {
        const char *text;
        uint16_t columns, rows;
} good[] = {
        { "{\"Width\":100,\"Height\":30}\n", 100, 30 },
        { "{\"height\":30,\"width\":100}", 100, 30 },
        { "{\"WIDTH\":65535,\"Height\":0,\"more\":[1]}", 65535, 0 },
        { "{\"Width\":1,\"Height\":2}{\"Width\":3,\"Height\":4}", 3, 4 },
        { " {\"Width\":1,\"Height\":2}\n\t {\"Width\":3,\"Height\":4} \r\n", 3, 4 },
};

static const char *const bad[] = {
        "",
        " ",
        "{}",
        "[]",
        "1",
        "null",
        "{\"Width\":1}",
        "{\"Width\":\"1\",\"Height\":2}",
        "{\"Width\":-1,\"Height\":2}",
        "{\"Width\":65536,\"Height\":2}",
        "{\"Width\":1.5,\"Height\":2}",
        "{\"Width\":1,\"Height\":2}x",
        "{\"Width\":1,\"Height\":2}{",
        "{\"Width\":1,\"Height\":2",
        "{\"Width\":1e400,\"Height\":2}",
        "{\"Width\":\xff,\"Height\":2}",
};

static void test_resize(void **state) {
        uint16_t columns, rows;
        Error error;

        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                assert_int_equal(
                        resize_parse(good[i].text, strlen(good[i].text), &columns, &rows, &error),
                        0);
                assert_int_equal(columns, good[i].columns);
                assert_int_equal(rows, good[i].rows);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                if (resize_parse(bad[i], strlen(bad[i]), &columns, &rows, &error) != -1)
                        fail_msg("%s is taken", bad[i]);
        assert_int_equal(
                resize_parse("{\"Width\":1,\0\"Height\":2}", 23, &columns, &rows, &error), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resize),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
