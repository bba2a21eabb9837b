/* SPDX-License-Identifier: Apache-2.0 */

#include "base/number.h"

#include "tests/helpers/unit.h"

#include <string.h>

static void reads_numbers(void **state) {
        static const struct {
                const char *text;
                uint64_t max, value;
        } numbers[] = {
                { "0", 0, 0 },
                { "1", 10, 1 },
                { "65535", 65535, 65535 },
                { "4294967294", 4294967294, 4294967294 },
                { "18446744073709551615", UINT64_MAX, UINT64_MAX },
        };

        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                uint64_t value = 7;

                assert_true(number_parse(
                        numbers[i].text, strlen(numbers[i].text), numbers[i].max, &value));
                assert_true(value == numbers[i].value);
        }
}

static void refuses_all_else(void **state) {
        static const char *const texts[] = { "", "-1", "+1", " 1", "1 ", "01", "00", "0x1", "1.0",
                "1e3", "a", "18446744073709551616", "99999999999999999999999", "65536",
                "\xd9\xa1" };

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                uint64_t value = 7;

                assert_false(number_parse(texts[i], strlen(texts[i]), 65535, &value));
                assert_true(value == 7); /* untouched */
        }
}

static void stops_at_the_size(void **state) {
        uint64_t value = 0;

        assert_true(number_parse("123x", 3, 1000, &value));
        assert_true(value == 123);
        assert_false(number_parse("1\0002", 3, 1000, &value));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_numbers),
                cmocka_unit_test(refuses_all_else),
                cmocka_unit_test(stops_at_the_size),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
