/* SPDX-License-Identifier: Apache-2.0 */

/* Lines as they come out of a pipe: what is escaped, what is cut, what is counted when the reader
 * is behind. */
#include "sidecar/audit/audit.h"
#include "sidecar/audit/format.h"

#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ends[2];
static AuditLog audit_log;

static int open_log(void **state) {
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -1;
        audit_log = (AuditLog){ .fd = ends[1] };
        return 0;
}

static int close_log(void **state) {
        (void)close(ends[0]);
        return close(ends[1]);
}

static const char *line(void) {
        static char text[AUDIT_LINE_MAX + 1];
        ssize_t n = read(ends[0], text, AUDIT_LINE_MAX);

        assert_true(n > 0);
        text[n] = '\0';
        return text;
}

static void expect_in(const char *got, const char *expected) {
        if (strstr(got, expected) == NULL)
                fail_msg("no %s in %s", expected, got);
}

static void fields(void **state) {
        static const char *const list[] = { "a", "b\"", NULL };
        AuditEvent event;

        audit_begin(&event, "r", "e");
        audit_text(&event, "caller", "me");
        audit_number(&event, "session", UINT64_MAX);
        audit_flag(&event, "terminal", true);
        audit_list(&event, "arguments", list, 100);
        audit_digest(&event, "arguments_sha256", list);
        assert_int_equal(audit_write(&audit_log, &event), 0);
        expect_in(line(), "\"unmapped\":{\"caller\":\"me\",\"session\":18446744073709551615,"
                          "\"terminal\":true,\"arguments\":[\"a\",\"b\\\"\"],"
                          "\"arguments_sha256\":"
                          "\"fdc44cd8eefbc1fea397b6b9a1143da31cc45fdb5b519deb855c40cf0566d242\"}");
}

static void the_log_stamps(void **state) {
        AuditEvent event;
        const char *got;

        for (unsigned i = 1; i <= 3; i++) {
                char sequence[32];

                (void)snprintf(sequence, sizeof(sequence), "\"sequence\":%u}}\n", i);
                audit_begin(&event, "r", "e");
                assert_int_equal(audit_write(&audit_log, &event), 0);
                got = line();
                expect_in(got, "\"time_dt\":\"20");
                expect_in(got, "\"feature\":{\"name\":\"r\"}},\"event_code\":\"e\",");
                expect_in(got, sequence);
        }
}

static void escapes(void **state) {
        static const struct {
                const char *text, *written;
        } cases[] = {
                { "plain", "plain" },
                { "\"\\", "\\\"\\\\" },
                { "\n\r\t\x1b\x7f", "\\u000a\\u000d\\u0009\\u001b\\u007f" },
                { "\xc3\xbc", "\\u00fc" },
                { "\xe2\x98\x83", "\\u2603" },
                { "\xf0\x9f\x98\x80", "\\ud83d\\ude00" },
                { "\xff", "\\ufffd" },
                { "\xc3", "\\ufffd" },
                { "\xc3(", "\\ufffd(" },
                { "\xc0\xaf", "\\ufffd\\ufffd" }, /* overlong '/' */
                { "\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd" },
                { "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },            /* a surrogate */
                { "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" }, /* above U+10FFFF */
                { "\x80", "\\ufffd" },
                { "\xe2\x98", "\\ufffd\\ufffd" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char expected[256];
                AuditEvent event;

                (void)snprintf(expected, sizeof(expected), "\"unmapped\":{\"x\":\"%s\"},",
                        cases[i].written);
                audit_begin(&event, "r", "e");
                audit_text(&event, "x", cases[i].text);
                assert_int_equal(audit_write(&audit_log, &event), 0);
                expect_in(line(), expected);
        }
}

static void long_texts_are_cut(void **state) {
        char text[10000];
        const char *list[] = { text, text, NULL };
        AuditEvent event;
        const char *got;

        memset(text, 0x1b, sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        audit_begin(&event, "launcher", "e");
        audit_list(&event, "list", list, 1000);
        for (unsigned i = 0; i < 20; i++)
                audit_text(&event, "text", text);
        audit_number(&event, "left", 1);
        assert_int_equal(audit_write(&audit_log, &event), 0);
        got = line();
        assert_true(strlen(got) < AUDIT_LINE_MAX);
        expect_in(got, ",\"is_truncated\":true}}\n");
        assert_null(strchr(got, 0x1b));
}

static void a_full_pipe_loses_and_counts(void **state) {
        AuditEvent event;
        unsigned written = 0;

        assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
        audit_begin(&event, "launcher", "e");
        while (audit_write(&audit_log, &event) == 0)
                written++;
        assert_int_equal(audit_write(&audit_log, &event), -EAGAIN);
        audit_lose(&audit_log);
        audit_lose(&audit_log);
        for (size_t left = 1; left > 0;) {
                char buffer[4096];

                left = (size_t)read(ends[0], buffer, sizeof(buffer));
                if (left < sizeof(buffer))
                        break;
        }
        assert_int_equal(audit_write(&audit_log, &event), 0);
        assert_int_equal(audit_log.sequence, written + 1);
        expect_in(line(), "\"unmapped\":{\"lines_lost\":2}");
        assert_int_equal(audit_write(&audit_log, &event), 0);
        assert_null(strstr(line(), "lost"));
}

static void a_reader_that_has_gone(void **state) {
        AuditEvent event;

        (void)close(ends[0]);
        audit_begin(&event, "launcher", "e");
        assert_true(audit_write(&audit_log, &event) < 0);
        assert_int_equal(audit_log.sequence, 0);
        ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void a_full_disk(void **state) {
        AuditEvent event;

        audit_log.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        audit_begin(&event, "launcher", "e");
        assert_int_equal(audit_write(&audit_log, &event), -ENOSPC);
        (void)close(audit_log.fd);
}

static void keys(void **state) {
        static const char *const good[] = { "a", "a_1", "host" };
        static const char *const bad[] = {
                "",
                "A",
                "a-b",
                "a\"",
                "time",
                "sequence",
                "role",
                "event",
                "lines_lost",
                "cut",
                "a b",
                "a\n",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                assert_true(audit_is_key(good[i]));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_false(audit_is_key(bad[i]));
}

#define LOGGED(test) cmocka_unit_test_setup_teardown(test, open_log, close_log)

int main(void) {
        const struct CMUnitTest tests[] = {
                LOGGED(fields),
                LOGGED(the_log_stamps),
                LOGGED(escapes),
                LOGGED(long_texts_are_cut),
                LOGGED(a_full_pipe_loses_and_counts),
                LOGGED(a_reader_that_has_gone),
                LOGGED(a_full_disk),
                cmocka_unit_test(keys),
        };

        (void)signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
