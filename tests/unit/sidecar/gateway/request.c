/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/request.h"

#include "tests/helpers/unit.h"

#include <stdlib.h>
#include <string.h>

#define IN WIRE_SESSION_STDIN
#define OUT WIRE_SESSION_STDOUT
#define ERR WIRE_SESSION_STDERR
#define TTY WIRE_SESSION_TTY
#define LOGIN WIRE_SESSION_LOGIN

static const struct {
        const char *query;
        uint32_t flags;
        const char *terminal;
        uint32_t timeout;
} good[] = {
        { "command=id&stdout=true&stderr=true", OUT | ERR | LOGIN, "", 0 },
        { "command=id&stdout", OUT | LOGIN, "", 0 }, /* as the API server: empty is true */
        { "command=id&stdin=1&stdout=x&stderr=FALSE&tty=0", IN | OUT | LOGIN, "", 0 },
        { "command=bash&stdin=true&stdout=true&stderr=true&tty=true", IN | OUT | TTY | LOGIN,
                "xterm", 0 },
        { "command=bash&tty=true&stdout=true&env=TERM%3dvt100", OUT | TTY | LOGIN, "vt100", 0 },
        { "command=id&stdout=true&login=false", OUT, "", 0 },
        { "command=tar&stdout=true", OUT, "", 0 },
        { "command=tar&stdout=true&login=true", OUT | LOGIN, "", 0 },
        { "command=test&command=-d&stdout=true", OUT, "", 0 },
        { "command=sh&command=-c&command=tar+cf+-+x&stdout=true", OUT, "", 0 },
        { "command=sh&command=-c&command=tar+cf+-+x&command=y&stdout=true", OUT | LOGIN, "", 0 },
        { "command=sh&command=-c&command=tar+xf+-&stdout=true", OUT | LOGIN, "", 0 },
        { "command=sh&stdout=true", OUT | LOGIN, "", 0 },
        { "command=id&stdout=true&timeout=604800", OUT | LOGIN, "", 604800 },
        { "command=id&stdout=true&unknown=1&unknown=2", OUT | LOGIN, "", 0 },
};

static void test_good(void **state) {
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                cleanup(exec_request_freep) ExecRequest *request = NULL;
                Error error = { 0 };

                if (exec_request_new(good[i].query, &request, &error) < 0)
                        fail_msg("%s: %s", good[i].query, error.text);
                if (request->start.flags != good[i].flags)
                        fail_msg("%s: flags %x", good[i].query, (unsigned)request->start.flags);
                assert_string_equal(request->start.terminal, good[i].terminal);
                assert_int_equal(request->timeout_seconds, good[i].timeout);
        }
}

static void test_lists(void **state) {
        cleanup(exec_request_freep) ExecRequest *request = NULL;
        Error error = { 0 };

        assert_int_equal(exec_request_new("env=A%3d1&command=a&command=b+c&command=&env=B_2%3d%3d&"
                                          "stdout=1&workdir=/x%20y&container=c",
                                 &request, &error),
                0);
        exec_request_set_caller(request, "someone", "tls");
        assert_string_equal(request->start.arguments[0], "a");
        assert_string_equal(request->start.arguments[1], "b c");
        assert_string_equal(request->start.arguments[2], "");
        assert_null(request->start.arguments[3]);
        assert_string_equal(request->start.environment[0], "A=1");
        assert_string_equal(request->start.environment[1], "B_2==");
        assert_null(request->start.environment[2]);
        assert_string_equal(request->start.directory, "/x y");
        assert_string_equal(request->start.container, "c");
        assert_string_equal(request->start.caller, "someone");
        assert_string_equal(request->start.source, "tls");
}

static const struct {
        const char *query;
        const char *says;
} bad[] = {
        { "", "'command' is missing" },
        { "stdout=true", "'command' is missing" },
        { "command=&stdout=true", "'command' is missing" },
        { "command=id", "at least one of" },
        { "command=id&tty=true", "at least one of" },
        { "command=id&stdout=true&stdout=true", "'stdout' is given twice" },
        { "command=id&stdout=true&container=a&container=b", "'container' is given twice" },
        { "command=id&stdout=true&workdir=x", "absolute" },
        { "command=id&stdout=true&workdir=", "absolute" },
        { "command=id&stdout=true&timeout=", "'timeout'" },
        { "command=id&stdout=true&timeout=01", "'timeout'" },
        { "command=id&stdout=true&timeout=604801", "'timeout'" },
        { "command=id&stdout=true&env=", "NAME=value" },
        { "command=id&stdout=true&env=%3d1", "NAME=value" },
        { "command=id&stdout=true&env=A-B%3d1", "NAME=value" },
        { "command=id&stdout=true&env=NAVIGATOR_TOKEN%3d1", "'NAVIGATOR_TOKEN'" },
        { "command=%zz&stdout=true", "hexadecimal" },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                ExecRequest *request = NULL;
                Error error = { 0 };

                assert_int_equal(exec_request_new(bad[i].query, &request, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                if (strstr(error.text, bad[i].says) == NULL)
                        fail_msg("%s: %s", bad[i].query, error.text);
        }
}

/* A query of `count` times key=value, value `size` bytes. */
static int parse_many(const char *key, size_t count, size_t size, const char *more, Error *error) {
        cleanup_free char *query = malloc(count * (strlen(key) + size + 2) + strlen(more) + 1);
        cleanup(exec_request_freep) ExecRequest *request = NULL;
        char *to = query;

        for (size_t i = 0; i < count; i++) {
                to = stpcpy(stpcpy(to, key), "=");
                memset(to, 'x', size);
                if (strcmp(key, "env") == 0)
                        to[1] = '=';
                to += size;
                *to++ = '&';
        }
        (void)stpcpy(to, more);
        return exec_request_new(query, &request, error);
}

static void test_limits(void **state) {
        Error error = { 0 };

        assert_int_equal(parse_many("command", 1024, 1, "stdout=1", &error), 0);
        assert_int_equal(parse_many("command", 1025, 1, "stdout=1", &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_int_equal(parse_many("command", 1, 32768, "stdout=1", &error), 0);
        assert_int_equal(parse_many("command", 1, 32769, "stdout=1", &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_int_equal(parse_many("command", 4, 32767, "stdout=1", &error), 0);
        assert_int_equal(parse_many("command", 4, 32768, "stdout=1", &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_int_equal(parse_many("env", 128, 3, "command=id&stdout=1", &error), 0);
        assert_int_equal(parse_many("env", 129, 3, "command=id&stdout=1", &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
