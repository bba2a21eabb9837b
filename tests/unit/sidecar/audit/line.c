/* SPDX-License-Identifier: Apache-2.0 */

/* What was written is read under the names that it was reported with. */
#include "sidecar/audit/line.h"

#include "sidecar/audit/format.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static AuditLine *written(const char *role, const char *name, const char *const *pairs) {
        const AuditStamp stamp = { .time = { .tv_sec = 1764000000 }, .sequence = 7, .lost = 2 };
        char text[AUDIT_LINE_MAX];
        AuditEvent event;

        audit_begin(&event, role, name);
        for (size_t i = 0; pairs[i] != NULL; i += 2)
                audit_text(&event, pairs[i], pairs[i + 1]);
        return audit_line_read(text, audit_format(&event, &stamp, text) - 1);
}

static void fields_keep_their_names(void **state) {
        static const struct {
                const char *role, *event, *pairs[40];
        } cases[] = {
                { "egress", "network",
                        { "verdict", "denied", "engine", "policy", "via", "proxy", "protocol",
                                "tcp", "host", "evil.test", "port", "443", "address", "192.0.2.1",
                                "binary", "/usr/bin/curl", "container", "app", "policy", "web",
                                "rule", "*.evil.test", "reason", "no_host", "detail", "a sentence",
                                "generation", "3", "pid", "58", "repeated", "12" } },
                { "egress", "network",
                        { "verdict", "denied", "via", "names", "host", "evil.test", "protocol",
                                "AAAA", "reason", "no_host" } },
                { "gateway", "request_denied",
                        { "caller", "eve", "source", "tls", "namespace", "n", "pod", "p", "code",
                                "403", "reason", "no" } },
                { "launcher", "session_start",
                        { "session", "4", "caller", "alice", "source", "tls", "container", "app",
                                "container_id", "c1", "uid", "1000", "directory", "/tmp",
                                "policy_sha256", "00ff", "policy_source", "image", "pod", "p",
                                "pod_namespace", "n", "status", "fine" } },
                { "launcher", "session_end",
                        { "exit_code", "3", "milliseconds", "12", "reason", "deadline" } },
                { "launcher", "process_ready", { "process", "egress" } },
                { "gateway", "nobody_knows", { "host", "h", "port", "p", "severity_id", "x" } },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                AuditLine *line = written(cases[i].role, cases[i].event, cases[i].pairs);

                assert_non_null(line);
                assert_string_equal(audit_line_get(line, "event"), cases[i].event);
                assert_string_equal(audit_line_get(line, "role"), cases[i].role);
                assert_string_equal(audit_line_get(line, "sequence"), "7");
                assert_string_equal(audit_line_get(line, "lines_lost"), "2");
                assert_string_equal(audit_line_get(line, "time"), "2025-11-24T16:00:00.000Z");
                assert_null(audit_line_get(line, "cut"));
                for (size_t j = 0; cases[i].pairs[j] != NULL; j += 2)
                        if (strcmp(cases[i].pairs[j], "severity_id") != 0)
                                assert_string_equal(audit_line_get(line, cases[i].pairs[j]),
                                        cases[i].pairs[j + 1]);
                (void)audit_line_free(line);
        }
}

static void attributes_have_their_path(void **state) {
        AuditLine *line = written("launcher", "session_end", (const char *const[]){ NULL });

        assert_string_equal(audit_line_get(line, "device.type_id"), "99");
        assert_string_equal(audit_line_get(line, "severity_id"), "1");
        assert_string_equal(audit_line_get(line, "class"), "1007");
        assert_null(audit_line_get(line, "session"));
        (void)audit_line_free(line);
}

static void other_text_is_no_line(void **state) {
        static const char *const cases[] = {
                "",
                "navigator-sidecar: warning: x",
                "{",
                "[]",
                "{}",
                "{\"metadata\":1}",
                "{\"metadata\":{\"product\":\"navigator\"}}",
                "{\"metadata\":{\"product\":{\"name\":\"other\"}}}",
                "{\"metadata\":{\"product\":{\"name\":\"navigator\",\"name\":\"navigator\"}}}",
                "{\"metadata\":{\"product\":{\"name\":\"navigator\"}}} x",
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_null(audit_line_read(cases[i], strlen(cases[i])));
}

/* As deep and as wide as somebody likes: what is beyond the bounds is not a field. */
static void lines_of_others_are_bounded(void **state) {
        static char text[AUDIT_LINE_READ_MAX];
        size_t size = (size_t)snprintf(
                text, sizeof(text), "{\"metadata\":{\"product\":{\"name\":\"navigator\"}}");
        AuditLine *line;

        for (unsigned i = 0; i < 1000; i++)
                size += (size_t)snprintf(
                        text + size, sizeof(text) - size, ",\"k%u\":{\"a\":{\"b\":{\"c\":1}}}", i);
        size += (size_t)snprintf(text + size, sizeof(text) - size, "}");
        line = audit_line_read(text, size);
        assert_non_null(line);
        assert_string_equal(audit_line_get(line, "k1.a.b.c"), "1");
        assert_null(audit_line_get(line, "k999.a.b.c"));
        (void)audit_line_free(line);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_keep_their_names),
                cmocka_unit_test(attributes_have_their_path),
                cmocka_unit_test(other_text_is_no_line),
                cmocka_unit_test(lines_of_others_are_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
