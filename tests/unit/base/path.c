/* SPDX-License-Identifier: Apache-2.0 */

#include "base/path.h"

#include "tests/helpers/unit.h"

#include <string.h>

static void normalises(void **state) {
        static const char *const paths[][2] = {
                { "/", "/" },
                { "//", "/" },
                { "/.", "/" },
                { "/./", "/" },
                { "/usr", "/usr" },
                { "/usr/", "/usr" },
                { "//usr///lib//", "/usr/lib" },
                { "/./usr/./lib/.", "/usr/lib" },
                { "/a..b/.c/d.", "/a..b/.c/d." },
                { "/...", "/..." },
                { "/a b/\xc3\xa9", "/a b/\xc3\xa9" },
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
                char normal[64], same[64];

                assert_int_equal(path_normalise(paths[i][0], normal, sizeof(normal)), PATH_NORMAL);
                assert_string_equal(normal, paths[i][1]);
                /* in place, and once more changes nothing */
                memcpy(same, normal, sizeof(same));
                assert_int_equal(path_normalise(same, same, sizeof(same)), PATH_NORMAL);
                assert_string_equal(same, normal);
        }
}

static void refuses(void **state) {
        static const struct {
                const char *path;
                PathForm form;
        } paths[] = {
                { "", PATH_RELATIVE },
                { "usr", PATH_RELATIVE },
                { "./usr", PATH_RELATIVE },
                { "../usr", PATH_RELATIVE },
                { "/..", PATH_TRAVERSAL },
                { "/usr/../etc", PATH_TRAVERSAL },
                { "/usr/..", PATH_TRAVERSAL },
                { "/usr/../", PATH_TRAVERSAL },
                { "/123456789", PATH_LONG },
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
                char normal[10] = "untouched";

                assert_int_equal(
                        path_normalise(paths[i].path, normal, sizeof(normal)), paths[i].form);
                assert_string_equal(normal, "untouched");
        }
}

static void fits_exactly(void **state) {
        char normal[10];

        assert_int_equal(path_normalise("/12345678//", normal, sizeof(normal)), PATH_NORMAL);
        assert_string_equal(normal, "/12345678");
}

static void covers(void **state) {
        assert_true(path_covers("/", "/"));
        assert_true(path_covers("/", "/usr"));
        assert_true(path_covers("/usr", "/usr"));
        assert_true(path_covers("/usr", "/usr/lib"));
        assert_false(path_covers("/usr", "/usr2"));
        assert_false(path_covers("/usr", "/us"));
        assert_false(path_covers("/usr/lib", "/usr"));
        assert_false(path_covers("/usr", "/"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(normalises),
                cmocka_unit_test(refuses),
                cmocka_unit_test(fits_exactly),
                cmocka_unit_test(covers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
