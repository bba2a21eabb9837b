/* SPDX-License-Identifier: Apache-2.0 */

/* Events as lines: the class each has, where its fields stand, what people read, and that nothing a
 * role says becomes anything but a value. */
#include "sidecar/audit/format.h"

#include "sidecar/audit/schema.h"
#include "sidecar/audit/shorthand.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const AuditStamp stamp = { .time = { .tv_sec = 1764000000, .tv_nsec = 123456789 },
        .sequence = 7 };

static const char *line_of(const AuditEvent *event) {
        static char line[AUDIT_LINE_MAX];
        const size_t size = audit_format(event, &stamp, line);

        assert_int_equal(size, strlen(line));
        assert_true(size < AUDIT_LINE_MAX);
        return line;
}

static void fill(AuditEvent *event, const char *role, const char *name, const char *const *pairs) {
        audit_begin(event, role, name);
        for (size_t i = 0; pairs[i] != NULL; i += 2)
                audit_text(event, pairs[i], pairs[i + 1]);
}

static const char *const denied[] = { "verdict", "denied", "engine", "policy", "via", "proxy",
        "host", "evil.test", "port", "443", "binary", "/usr/bin/curl", "pid", "58", "container",
        "app", "reason", "no_host", "detail", "no policy names the host", "generation", "3", NULL };

static void a_denial(void **state) {
        AuditEvent event;

        fill(&event, "egress", "network", denied);
        assert_string_equal(line_of(&event),
                "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":5,\"type_uid\":400105,"
                "\"time\":1764000000123,\"time_dt\":\"2025-11-24T16:00:00.123Z\","
                "\"severity_id\":3,\"status_id\":2,\"action_id\":2,\"disposition_id\":2,"
                "\"message\":\"denied: /usr/bin/curl (58) -> evil.test:443, no_host: no policy "
                "names the host\","
                "\"status_code\":\"no_host\",\"status_detail\":\"no policy names the host\","
                "\"actor\":{\"process\":{\"path\":\"/usr/bin/curl\",\"pid\":58}},"
                "\"connection_info\":{\"direction_id\":2},\"container\":{\"name\":\"app\"},"
                "\"dst_endpoint\":{\"hostname\":\"evil.test\",\"port\":443},"
                "\"policy\":{\"version\":\"3\"},"
                "\"unmapped\":{\"verdict\":\"denied\",\"engine\":\"policy\",\"via\":\"proxy\"},"
                "\"metadata\":{\"version\":\"1.6.0\",\"profiles\":[\"container\",\"datetime\","
                "\"host\",\"security_control\"],\"product\":{\"name\":\"navigator\",\"version\":"
                "\"" NAVIGATOR_VERSION "\",\"feature\":{\"name\":\"egress\"}},"
                "\"event_code\":\"network\",\"sequence\":7}}\n");
}

static void a_session(void **state) {
        static const char *const arguments[] = { "echo", "a b", NULL };
        AuditEvent event;

        audit_begin(&event, "launcher", "session_start");
        audit_number(&event, "session", 4);
        audit_text(&event, "caller", "alice");
        audit_text(&event, "source", "tls");
        audit_text(&event, "container", "app");
        audit_number(&event, "uid", 1000);
        audit_flag(&event, "terminal", true);
        audit_list(&event, "arguments", arguments, 100);
        assert_string_equal(line_of(&event),
                "{\"class_uid\":1007,\"category_uid\":1,\"activity_id\":1,\"type_uid\":100701,"
                "\"time\":1764000000123,\"time_dt\":\"2025-11-24T16:00:00.123Z\","
                "\"severity_id\":1,\"status_id\":1,\"action_id\":1,\"disposition_id\":1,"
                "\"message\":\"session 4 started: alice (tls) runs [\\\"echo\\\",\\\"a b\\\"] in "
                "app as 1000\","
                "\"actor\":{\"app_name\":\"navigator\",\"user\":{\"name\":\"alice\"}},"
                "\"container\":{\"name\":\"app\"},\"device\":{\"type_id\":99},"
                "\"process\":{\"sandbox\":\"navigator\",\"uid\":\"4\",\"user\":{"
                "\"uid\":\"1000\"}},"
                "\"unmapped\":{\"source\":\"tls\",\"terminal\":true,\"arguments\":[\"echo\",\"a "
                "b\"]},"
                "\"metadata\":{\"version\":\"1.6.0\",\"profiles\":[\"container\",\"datetime\","
                "\"host\",\"security_control\"],\"product\":{\"name\":\"navigator\",\"version\":"
                "\"" NAVIGATOR_VERSION "\",\"feature\":{\"name\":\"launcher\"}},"
                "\"event_code\":\"session_start\",\"sequence\":7}}\n");
}

/* Every event that is documented, and what is nobody's. */
static void classes(void **state) {
        static const struct {
                const char *role, *event, *via, *verdict, *begins;
        } cases[] = {
                { "launcher", "process_ready", NULL, NULL,
                        "{\"class_uid\":6002,\"category_uid\":6,\"activity_id\":3," },
                { "launcher", "process_ended", NULL, NULL,
                        "{\"class_uid\":6002,\"category_uid\":6,\"activity_id\":4," },
                { "launcher", "container_taken", NULL, NULL,
                        "{\"class_uid\":5019,\"category_uid\":5,\"activity_id\":1," },
                { "launcher", "container_ended", NULL, NULL, "{\"class_uid\":5019," },
                { "launcher", "container_refused", NULL, NULL, "{\"class_uid\":5019," },
                { "launcher", "policy_in_force", NULL, NULL, "{\"class_uid\":5019," },
                { "launcher", "policy_changed", NULL, NULL, "{\"class_uid\":5019," },
                { "launcher", "policy_refused", NULL, NULL, "{\"class_uid\":5019," },
                { "launcher", "session_start", NULL, NULL,
                        "{\"class_uid\":1007,\"category_uid\":1,\"activity_id\":1," },
                { "launcher", "session_refused", NULL, NULL,
                        "{\"class_uid\":1007,\"category_uid\":1,\"activity_id\":1," },
                { "launcher", "session_end", NULL, NULL,
                        "{\"class_uid\":1007,\"category_uid\":1,\"activity_id\":2," },
                { "gateway", "request_denied", NULL, NULL,
                        "{\"class_uid\":6003,\"category_uid\":6,\"activity_id\":1," },
                { "gateway", "port_forward", NULL, NULL,
                        "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":1," },
                { "egress", "listener_refused", NULL, NULL,
                        "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":7," },
                { "egress", "network", "proxy", "allowed",
                        "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":1," },
                { "egress", "network", "proxy", "failed",
                        "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":4," },
                { "egress", "network", "direct", "denied",
                        "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":5," },
                { "egress", "network_repeated", "proxy", "let_through",
                        "{\"class_uid\":4001,\"category_uid\":4,\"activity_id\":1," },
                { "egress", "network_repeated", "names", "denied",
                        "{\"class_uid\":4003,\"category_uid\":4,\"activity_id\":1," },
                { "egress", "network", "names", "allowed",
                        "{\"class_uid\":4003,\"category_uid\":4,\"activity_id\":1," },
                { "gateway", "session_start", NULL, NULL,
                        "{\"class_uid\":0,\"category_uid\":0,\"activity_id\":99,\"type_uid\":99," },
                { "gateway", "network", "proxy", "allowed", "{\"class_uid\":0," },
                { "egress", "policy_in_force", NULL, NULL, "{\"class_uid\":0," },
                { "egress", "network", "proxy", "whatever", "{\"class_uid\":0," },
                { "launcher", "unheard_of", NULL, NULL, "{\"class_uid\":0," },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *line;
                AuditEvent event;

                audit_begin(&event, cases[i].role, cases[i].event);
                if (cases[i].via != NULL)
                        audit_text(&event, "via", cases[i].via);
                if (cases[i].verdict != NULL)
                        audit_text(&event, "verdict", cases[i].verdict);
                line = line_of(&event);
                if (strncmp(line, cases[i].begins, strlen(cases[i].begins)) != 0)
                        fail_msg("%s of %s: %s", cases[i].event, cases[i].role, line);
        }
}

static void shorthands(void **state) {
        static const struct {
                const char *role, *event, *pairs[20], *text;
        } cases[] = {
                { "egress", "network_repeated",
                        { "verdict", "denied", "via", "direct", "protocol", "udp", "address",
                                "1.2.3.4", "port", "443", "reason", "no_protocol", "repeated", "12",
                                NULL },
                        "denied: udp to 1.2.3.4:443, no_protocol (and 12 more)" },
                { "egress", "network",
                        { "verdict", "allowed", "via", "proxy", "host", "a.test", "port", "443",
                                "address", "192.0.2.7", "policy", "web", NULL },
                        "allowed: -> a.test:443 (192.0.2.7), policy web" },
                { "egress", "network",
                        { "verdict", "denied", "via", "names", "host", "b.test", "protocol", "AAAA",
                                "reason", "no_host", NULL },
                        "name denied: AAAA b.test, no_host" },
                { "gateway", "request_denied",
                        { "caller", "eve", "source", "tls", "code", "403", "reason", "no", NULL },
                        "request denied: eve (tls) 403: no" },
                { "launcher", "process_ready", { "process", "egress", NULL },
                        "app started: egress" },
                { "launcher", "session_refused", { "reason", "a \x1b[31m\n", NULL },
                        "session refused: a \\u001b[31m\\u000a" },
                { "gateway", "w\n", { NULL }, "\"w\\u000a\"" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char text[AUDIT_SHORTHAND_MAX];
                AuditEvent event;

                fill(&event, cases[i].role, cases[i].event, cases[i].pairs);
                audit_shorthand(&event, audit_form(&event), text);
                assert_string_equal(text, cases[i].text);
        }
}

/* A role that was taken over sends numbers that are none, and values that look like JSON. */
static void a_role_writes_values_alone(void **state) {
        static const char *const pairs[] = { "verdict", "denied", "via", "proxy", "port",
                "1},\"metadata\":{\"sequence\":1", "pid", "007", "host", "\"},\"x\":{\"y\":\"",
                NULL };
        AuditEvent event;
        const char *line;

        fill(&event, "egress", "network", pairs);
        line = line_of(&event);
        assert_non_null(strstr(line, "\"port\":\"1},\\\"metadata\\\":{\\\"sequence\\\":1\"}"));
        assert_non_null(strstr(line, "\"pid\":\"007\""));
        assert_non_null(strstr(line, "\"hostname\":\"\\\"},\\\"x\\\":{\\\"y\\\":\\\"\""));
}

/* All that is long at once: the line is whole, closed, says so, and has what comes first. */
static void a_full_line_is_whole(void **state) {
        char text[3000];
        const char *list[] = { text, text, NULL };
        AuditEvent event;
        const char *line;
        int depth = 0;

        memset(text, 0x1b, sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        audit_begin(&event, "launcher", text);
        event.name = "session_start";
        audit_number(&event, "session", 1);
        audit_text(&event, "caller", text);
        audit_text(&event, "container", text);
        audit_text(&event, "directory", text);
        audit_text(&event, "status", text);
        audit_list(&event, "arguments", list, 2000);
        line = line_of(&event);
        for (const char *at = line; *at != '\0'; at++)
                depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
        assert_int_equal(depth, 0);
        assert_non_null(strstr(line, "\"sequence\":7,\"is_truncated\":true}}\n"));
        assert_non_null(strstr(line, "\"status\":"));
        assert_null(strchr(line, 0x1b));
}

static void long_names_leave_room_for_the_end(void **state) {
        char name[2000];
        AuditEvent event;
        AuditStamp last = { .time = { .tv_sec = 253402300799, .tv_nsec = 999999999 },
                .sequence = UINT64_MAX,
                .lost = UINT64_MAX };
        char line[AUDIT_LINE_MAX];

        memset(name, '"', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        audit_begin(&event, "gateway", name);
        for (char key[] = "a"; key[0] <= 'z'; key[0]++)
                audit_text(&event, key, name);
        assert_true(audit_format(&event, &last, line) < AUDIT_LINE_MAX);
        assert_non_null(
                strstr(line, "\"sequence\":18446744073709551615,\"is_truncated\":true}}\n"));
        assert_non_null(strstr(line, "\"unmapped\":{\"lines_lost\":18446744073709551615,"));
}

/* However full the line is: what the launcher stamps is in it. */
static void every_length_leaves_room_for_the_end(void **state) {
        char value[AUDIT_TEXT_MAX];

        for (size_t size = 0; size < sizeof(value); size++) {
                AuditEvent event;

                memset(value, 'x', size);
                value[size] = '\0';
                audit_begin(&event, "gateway", "e");
                for (char key[] = "a"; key[0] <= 'z'; key[0]++)
                        audit_text(&event, key, value);
                if (strstr(line_of(&event), "\"event_code\":\"e\",\"sequence\":7") == NULL)
                        fail_msg("no sequence behind fields of %zu bytes", size);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_denial),
                cmocka_unit_test(a_session),
                cmocka_unit_test(classes),
                cmocka_unit_test(shorthands),
                cmocka_unit_test(a_role_writes_values_alone),
                cmocka_unit_test(a_full_line_is_whole),
                cmocka_unit_test(long_names_leave_room_for_the_end),
                cmocka_unit_test(every_length_leaves_room_for_the_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
