/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/environment.h"

#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>

static const char *workload[] = {
        "PATH=/sandbox/.venv/bin:/usr/bin",
        "HOME=/root",
        "TERM=vt100",
        "A=image",
        "=x",
        "nothing",
        "A=pod",
        "HTTPS_PROXY=http://elsewhere",
        NULL,
};
static const char *none[] = { NULL };

#define PROXY_VARIABLES 10U /* base/proxy.c */

static Record record(void) {
        return (Record){
                .environment = workload,
                .identity = { .uid = 1000,
                        .gid = 1000,
                        .name = "sandbox",
                        .home = "/sandbox",
                        .shell = "" },
        };
}

static void expect(const Environment *environment, const char *name, const char *value) {
        const char *got = environment_get(environment, name);

        if (value == NULL) {
                assert_null(got);
                return;
        }
        assert_non_null(got);
        assert_string_equal(got, value);
}

static void layers(void **state) {
        static const char *callers[] = { "A=caller", "B=", "LD_PRELOAD=/x", NULL };
        const WireSessionStart start = { .terminal = "", .environment = callers };
        const Record from = record();
        Environment environment = { 0 };
        Error error;

        assert_int_equal(environment_build(&from, &start, &environment, &error), 0);
        expect(&environment, "PATH", "/sandbox/.venv/bin:/usr/bin");
        expect(&environment, "HOME", "/sandbox");
        expect(&environment, "USER", "sandbox");
        expect(&environment, "LOGNAME", "sandbox");
        expect(&environment, "SHELL", "/bin/sh");
        expect(&environment, "A", "caller");
        expect(&environment, "B", "");
        expect(&environment, "HTTPS_PROXY", "http://127.0.0.1:3128"); /* not the pod spec's */
        expect(&environment, "LD_PRELOAD", "/x");                     /* the caller's own foot */
        expect(&environment, "nothing", NULL);
        assert_int_equal(environment.count, 9 + PROXY_VARIABLES);
        expect(&environment, "https_proxy", "http://127.0.0.1:3128");
        assert_null(environment.entries[environment.count]);
        environment = environment_done(environment);
}

static void terminal_type(void **state) {
        static const struct {
                uint32_t flags;
                const char *asked, *got;
        } cases[] = {
                { 0, "", "dumb" },
                { WIRE_SESSION_TTY, "", "xterm" },
                { WIRE_SESSION_TTY, "screen-256color", "screen-256color" },
                { 0, "vt220", "vt220" },
        };
        const Record from = record();

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const WireSessionStart start = {
                        .flags = cases[i].flags, .terminal = cases[i].asked, .environment = none
                };
                Environment environment = { 0 };
                Error error;

                assert_int_equal(environment_build(&from, &start, &environment, &error), 0);
                expect(&environment, "TERM", cases[i].got);
                environment = environment_done(environment);
        }
}

static void home_without_a_passwd_line(void **state) {
        const WireSessionStart start = { .terminal = "", .environment = none };
        Record from = record();
        Environment environment = { 0 };
        Error error;

        from.identity.home = "";
        from.identity.name = "4711";
        assert_int_equal(environment_build(&from, &start, &environment, &error), 0);
        expect(&environment, "HOME", "/sandbox");
        expect(&environment, "USER", "4711");
        environment = environment_done(environment);
}

static void bad_names(void **state) {
        static const char *const bad[] = { "", "=", "=x", "A", "1A=x", "A-B=x", "A B=x",
                "\xc3\xa4=x", "NAVIGATOR_TOKEN=x", "A.B=x", "\n=x" };
        const Record from = record();

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                const char *callers[] = { "GOOD=1", bad[i], NULL };
                const WireSessionStart start = { .terminal = "", .environment = callers };
                Environment environment = { 0 };
                Error error;

                assert_int_equal(environment_build(&from, &start, &environment, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                assert_null(environment.entries);
        }
}

static void many(void **state) {
        static char entries[RECORD_ENVIRONMENT_MAX][16];
        Environment environment = { 0 };
        Error error;

        for (size_t round = 0; round < 2; round++)
                for (size_t i = 0; i < RECORD_ENVIRONMENT_MAX; i++) {
                        (void)snprintf(entries[i], sizeof(entries[i]), "V%zu=%zu", i, round);
                        assert_int_equal(environment_add(&environment, entries[i], &error), 0);
                }
        assert_int_equal(environment.count, RECORD_ENVIRONMENT_MAX);
        expect(&environment, "V0", "1");
        expect(&environment, "V4095", "1");
        expect(&environment, "V", NULL);
        environment = environment_done(environment);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(layers),
                cmocka_unit_test(terminal_type),
                cmocka_unit_test(home_without_a_passwd_line),
                cmocka_unit_test(bad_names),
                cmocka_unit_test(many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
