/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/tree.h"

#include "tests/helpers/unit.h"

#include <string.h>

static void expect_refusal(const char *text, size_t size, const char *expected) {
        Tree tree = { 0 };
        Error error = { 0 };

        assert_int_equal(tree_parse("doc", text, size, &tree, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
        if (strstr(error.text, expected) == NULL)
                fail_msg("'%s' does not say '%s'", error.text, expected);
}

static void says_where_a_text_is_wrong(void **state) {
        static const struct {
                const char *text;
                const char *expected;
        } cases[] = {
                { "", "doc:1:0: " },
                { "{\n \"a\": }", "doc:2:7: " },
                { "{\"a\": 1, \"a\": 2}", "duplicate object key" },
                { "{\"a\": 1} x", "end of file expected" },
                { "7", "'[' or '{' expected" },
                { "{\"navigator.sandbox/policy\": \"\xff\"}",
                        "(in the value of 'navigator.sandbox/policy')" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                expect_refusal(cases[i].text, strlen(cases[i].text), cases[i].expected);
        expect_refusal("{}\0", 3, "doc:1:3: ");
}

static void bounds_depth(void **state) {
        char deep[8192];

        memset(deep, '[', sizeof(deep));
        expect_refusal(deep, sizeof(deep), "maximum parsing depth reached");
}

static Tree parse(const char *text) {
        Tree tree = { 0 };
        Error error = { 0 };

        if (tree_parse("doc", text, strlen(text), &tree, &error) < 0)
                fail_msg("%s", error.text);
        return tree;
}

static void reads_typed_values(void **state) {
        cleanup(tree_freep) Tree tree =
                parse("{\"a\": {\"b\": \"x\", \"n\": 7, \"t\": true, \"z\": null},"
                      " \"c.d\": \"dotted\", \"l\": [1, 2]}");
        Value root = tree_root(&tree), list = { 0 };
        const char *text = "untouched";
        uint64_t number = 0;
        bool flag = false;
        Error error = { 0 };

        assert_int_equal(value_string(root, "a.b", &text, &error), 0);
        assert_string_equal(text, "x");
        assert_int_equal(value_string(value_member(root, "c.d"), "", &text, &error), 0);
        assert_string_equal(text, "dotted");
        assert_int_equal(value_number(root, "a.n", 7, &number, &error), 0);
        assert_int_equal(number, 7);
        assert_int_equal(value_boolean(root, "a.t", &flag, &error), 0);
        assert_true(flag);
        assert_int_equal(value_list(root, "l", &list, &error), 0);
        assert_int_equal(value_count(list), 2);

        text = "untouched";
        assert_int_equal(value_string(root, "a.missing.deeper", &text, &error), 0);
        assert_int_equal(value_string(root, "a.z", &text, &error), 0);
        assert_string_equal(text, "untouched");
}

static void refuses_other_types(void **state) {
        cleanup(tree_freep) Tree tree =
                parse("{\"s\": \"x\\u0000y\", \"n\": -1, \"f\": 1.5, \"big\": 70000, \"l\": {}}");
        Value root = tree_root(&tree), list;
        const char *text;
        uint64_t number;
        bool flag;
        Error error = { 0 };

        assert_int_equal(value_string(root, "s", &text, &error), -1);
        assert_string_equal(error.text, "doc: 's' has a NUL in it");
        assert_int_equal(value_string(root, "n", &text, &error), -1);
        assert_string_equal(error.text, "doc: 'n' is not a string");
        assert_int_equal(value_number(root, "n", 10, &number, &error), -1);
        assert_string_equal(error.text, "doc: 'n' is negative");
        assert_int_equal(value_number(root, "f", 10, &number, &error), -1);
        assert_string_equal(error.text, "doc: 'f' is not a whole number");
        assert_int_equal(value_number(root, "big", 65535, &number, &error), -1);
        assert_string_equal(error.text, "doc: 'big' is more than 65535");
        assert_int_equal(value_list(root, "l", &list, &error), -1);
        assert_int_equal(value_boolean(root, "s", &flag, &error), -1);
}

/* RLIM_INFINITY as runtimes write it: jansson's own integers end at 2^63. */
static void reads_the_largest_limit(void **state) {
        cleanup(tree_freep) Tree tree = parse(
                "{\"most\": 18446744073709551615, \"exact\": 9007199254740992, \"file\": 1048576}");
        uint64_t number = 0;
        Error error = { 0 };

        assert_int_equal(value_number(tree_root(&tree), "most", UINT64_MAX, &number, &error), 0);
        assert_true(number == UINT64_MAX);
        assert_int_equal(value_number(tree_root(&tree), "exact", UINT64_MAX, &number, &error), 0);
        assert_true(number == 9007199254740992U);
        assert_int_equal(value_number(tree_root(&tree), "file", UINT64_MAX, &number, &error), 0);
        assert_int_equal(number, 1048576);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_where_a_text_is_wrong),
                cmocka_unit_test(bounds_depth),
                cmocka_unit_test(reads_typed_values),
                cmocka_unit_test(refuses_other_types),
                cmocka_unit_test(reads_the_largest_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
