/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/options.h"

#include "tests/helpers/unit.h"

#include <getopt.h>
#include <string.h>

static int parse(const char *const *arguments, Options *ret_options, Error *error) {
        int count = 0;

        while (arguments[count] != NULL)
                count++;
        optind = 0; /* getopt starts anew */
        return options_parse(count, (char **)(uintptr_t)arguments, ret_options, error);
}

static void defaults_and_values(void **state) {
        static const char *const none[] = { "x", NULL };
        static const char *const all[] = { "x", "--port", "443", "--tls-directory=/t",
                "--socket-directory", "/s", "--audit", "/a", "--gateway", "/g", NULL };
        Options options;
        Error error;

        assert_int_equal(parse(none, &options, &error), 0);
        assert_int_equal(options.port, 8443);
        assert_string_equal(options.tls_directory, "/etc/navigator-gateway");
        assert_string_equal(options.socket_directory, "/run/navigator");
        assert_string_equal(options.gateway, "/usr/libexec/navigator/navigator-gateway");
        assert_null(options.audit);

        assert_int_equal(parse(all, &options, &error), 0);
        assert_int_equal(options.port, 443);
        assert_string_equal(options.tls_directory, "/t");
        assert_string_equal(options.socket_directory, "/s");
        assert_string_equal(options.audit, "/a");
        assert_string_equal(options.gateway, "/g");
}

static void mistakes_are_named(void **state) {
        static const struct {
                const char *arguments[4];
                const char *said;
        } cases[] = {
                { { "x", "--port", "0", NULL }, "'0'" },
                { { "x", "--port", "65536", NULL }, "'65536'" },
                { { "x", "--port", "+1", NULL }, "'+1'" },
                { { "x", "--port", NULL }, "--port" },
                { { "x", "--prot", "1", NULL }, "--prot" },
                { { "x", "-p", "1", NULL }, "-p" },
                { { "x", "serve", NULL }, "'serve'" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                Options options;
                Error error;

                assert_int_equal(parse(cases[i].arguments, &options, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                assert_non_null(strstr(error.text, cases[i].said));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(defaults_and_values),
                cmocka_unit_test(mistakes_are_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
