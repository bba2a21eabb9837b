/* SPDX-License-Identifier: Apache-2.0 */

#include "base/error.h"

#include "tests/helpers/unit.h"

#include <errno.h>
#include <string.h>

static void adds_the_reason(void **state) {
        Error error = { 0 };

        assert_int_equal(error_set(&error, ERROR_OS, ENOENT, "cannot open '%s'", "/x"), -1);
        assert_string_equal(error.text, "cannot open '/x': No such file or directory");
        assert_int_equal(error.kind, ERROR_OS);
        assert_int_equal(error.code, ENOENT);
        (void)error_set(&error, ERROR_INPUT, 0, "wrong");
        assert_string_equal(error.text, "wrong");
        (void)error_set(&error, ERROR_OS, 100000, "odd");
        assert_string_equal(error.text, "odd: unknown error");
}

static void puts_the_context_in_front(void **state) {
        Error error = { 0 };

        (void)error_set(&error, ERROR_LIMIT, 0, "too much");
        assert_int_equal(error_context(&error, "mount %d of %d", 2, 3), -1);
        assert_string_equal(error.text, "mount 2 of 3: too much");
        assert_int_equal(error.kind, ERROR_LIMIT);
}

static void cuts_what_is_too_long(void **state) {
        char name[2 * ERROR_TEXT_MAX];
        Error error = { 0 };

        memset(name, 'a', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        (void)error_set(&error, ERROR_OS, EIO, "%s", name);
        assert_int_equal(strlen(error.text), ERROR_TEXT_MAX - 1);
        (void)error_context(&error, "%s", name);
        assert_int_equal(strlen(error.text), ERROR_TEXT_MAX - 1);
}

static void moves_no_cursor(void **state) {
        Error error = { 0 };

        (void)error_set(&error, ERROR_INPUT, 0, "a\nb\x1b[31m\x7f");
        assert_string_equal(error.text, "a?b?[31m?");
        (void)error_context(&error, "c\r");
        assert_string_equal(error.text, "c?: a?b?[31m?");
}

static void nobody_has_to_listen(void **state) {
        assert_int_equal(error_set(NULL, ERROR_OS, EIO, "x"), -1);
        assert_int_equal(error_context(NULL, "x"), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(adds_the_reason),
                cmocka_unit_test(puts_the_context_in_front),
                cmocka_unit_test(cuts_what_is_too_long),
                cmocka_unit_test(moves_no_cursor),
                cmocka_unit_test(nobody_has_to_listen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
