/* SPDX-License-Identifier: Apache-2.0 */

/* The settings of a containerd configuration, in the ways its authors write them. */
#include "hook/install/toml.h"

#include "tests/helpers/unit.h"

#include <string.h>

#define CRI "plugins/io.containerd.cri.v1.runtime/containerd"

static const char config[] =
        "# a comment with [brackets] and 'quotes'\n"
        "version = 3 # trailing\n"
        "imports = ['/etc/containerd/conf.d/*.toml',\n"
        "  # inside the list\n"
        "  \"/opt/x.toml\" ,\n"
        "]\r\n"
        "root = \"/var/lib/containerd\"\n"
        "text = '''\n[not.a.table]\nversion = 9\n'''\n"
        "[grpc]\n"
        "  address = '/run/containerd/containerd.sock'\n"
        "[plugins]\n"
        "  [plugins.\"io.containerd.cri.v1.runtime\".containerd]\n"
        "    default_runtime_name = \"crun\"\n"
        "    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]\n"
        "      SystemdCgroup = true\n"
        "      BinaryName = '/usr/bin/crun'\n"
        "[[list]]\n"
        "a.b = false\n"
        "inline = { path = '/x', deep = { a = 1 } }\n";

static const Toml toml = { .name = "config.toml", .text = config };

static void finds_strings(void **state) {
        char value[TOML_STRING_MAX];
        Error error = { 0 };

        assert_int_equal(toml_string(toml, "root", value, &error), 1);
        assert_string_equal(value, "/var/lib/containerd");
        assert_int_equal(toml_string(toml, "grpc/address", value, &error), 1);
        assert_string_equal(value, "/run/containerd/containerd.sock");
        assert_int_equal(toml_string(toml, CRI "/default_runtime_name", value, &error), 1);
        assert_string_equal(value, "crun");
        assert_int_equal(
                toml_string(toml, CRI "/runtimes/crun/options/BinaryName", value, &error), 1);
        assert_string_equal(value, "/usr/bin/crun");
}

static void finds_numbers_and_booleans(void **state) {
        Error error = { 0 };
        uint64_t number = 0;
        bool boolean = false;

        assert_int_equal(toml_number(toml, "version", &number, &error), 1);
        assert_int_equal(number, 3);
        assert_int_equal(
                toml_boolean(toml, CRI "/runtimes/crun/options/SystemdCgroup", &boolean, &error),
                1);
        assert_true(boolean);
        assert_int_equal(toml_boolean(toml, "list/a/b", &boolean, &error), 1);
        assert_false(boolean);
}

static void absence_writes_nothing(void **state) {
        char value[TOML_STRING_MAX] = "before";
        Error error = { 0 };

        assert_int_equal(toml_string(toml, "grpc/root", value, &error), 0);
        assert_int_equal(toml_string(toml, "address", value, &error), 0);
        assert_int_equal(toml_string(toml, "not/a/table/version", value, &error), 0);
        assert_string_equal(value, "before");
}

static bool collect(const char *value, void *context) {
        char *all = context;

        strcat(all, value);
        strcat(all, ";");
        return true;
}

static void lists(void **state) {
        char all[256] = "";
        Error error = { 0 };

        assert_int_equal(toml_strings(toml, "imports", collect, all, &error), 1);
        assert_string_equal(all, "/etc/containerd/conf.d/*.toml;/opt/x.toml;");
}

static void prefixes(void **state) {
        Error error = { 0 };

        assert_int_equal(toml_has(toml, CRI "/runtimes/crun", &error), 1);
        assert_int_equal(toml_has(toml, CRI "/runtimes/cru", &error), 0);
        assert_int_equal(toml_has(toml, "grpc", &error), 1);
}

/* What would hide a setting from us must not look like its absence. */
static void refusals(void **state) {
        static const struct {
                const char *text, *path, *words;
        } cases[] = {
                { "a = { b = 'x' }\n", "a/b", "file:1: an inline table" },
                { "x = 1\na = \"\\u0041\"\n", "a", "file:2: 'a' is not a plain string" },
                { "a = 3\n", "a", "'a' is not a plain string" },
                { "\n\n[a\n", "x", "file:3: ']' was expected" },
                { "a = 'x\n", "x", "file:1: a string does not end" },
                { "a = [1, 2\n", "x", "a bracket is not closed" },
                { "a 3\n", "x", "'=' was expected" },
                { "= 3\n", "x", "a key was expected" },
                { "a = '''x\n", "x", "a string does not end" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char value[TOML_STRING_MAX];
                Error error = { 0 };

                assert_int_equal(
                        toml_string((Toml){ "file", cases[i].text }, cases[i].path, value, &error),
                        -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                assert_non_null(strstr(error.text, cases[i].words));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_strings),
                cmocka_unit_test(finds_numbers_and_booleans),
                cmocka_unit_test(absence_writes_nothing),
                cmocka_unit_test(lists),
                cmocka_unit_test(prefixes),
                cmocka_unit_test(refusals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
