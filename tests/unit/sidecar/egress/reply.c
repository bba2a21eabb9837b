/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/reply.h"

#include "tests/helpers/unit.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

/* Splits the response, checks its length, and returns the body as JSON: the caller's. */
static json_t *body_of(const Refusal *refusal, char response[static REPLY_SIZE_MAX + 1]) {
        const size_t size = reply_write(refusal, response);
        json_error_t where;
        const char *body;
        json_t *json;

        assert_true(size <= REPLY_SIZE_MAX);
        response[size] = '\0';
        body = strstr(response, "\r\n\r\n") + 4;
        json = json_loads(body, JSON_REJECT_DUPLICATES, &where);
        if (json == NULL)
                fail_msg("%s: %s", where.text, body);
        return json;
}

static bool starts_with(const char *text, const char *start) {
        return strncmp(text, start, strlen(start)) == 0;
}

static void test_missing_rule(void **state) {
        const Destination destination = { .host = "evil.test", .port = 443 };
        const PolicyDecision decision = { .reason = POLICY_REASON_HOST };
        const Refusal refusal = {
                .status = 403,
                .error = "policy_denied",
                .detail = "no policy names the host 'evil.test'",
                .reason = "no_host",
                .destination = &destination,
                .binary = "/usr/bin/curl",
                .decision = &decision,
                .generation = 3,
        };
        static char response[REPLY_SIZE_MAX + 1];
        json_t *json = body_of(&refusal, response);
        const char *error, *host, *path;
        int port, generation;

        assert_true(starts_with(
                response, "HTTP/1.1 403 Forbidden: no policy names the host 'evil.test'\r\n"));
        assert_non_null(strstr(response, "\r\nConnection: close\r\n"));
        assert_int_equal(
                json_unpack(json, "{s:s, s:i, s:{s:{s:[{s:s, s:i}], s:[{s:s}]}}}", "error", &error,
                        "policy_generation", &generation, "missing_rule", "new_rule", "endpoints",
                        "host", &host, "port", &port, "binaries", "path", &path),
                0);
        assert_string_equal(error, "policy_denied");
        assert_string_equal(host, "evil.test");
        assert_string_equal(path, "/usr/bin/curl");
        assert_int_equal(port, 443);
        assert_int_equal(generation, 3);
        json_decref(json);
}

/* What a name or a path may hold cannot end the status line, nor begin another header. */
static void test_status_line(void **state) {
        const Refusal refusal = {
                .status = 400,
                .error = "bad_request",
                .detail = "host a\r\nX-Header: b\x01\x7f\xff",
                .binary = "",
        };
        static char response[REPLY_SIZE_MAX + 1];

        json_decref(body_of(&refusal, response));
        assert_true(starts_with(
                response, "HTTP/1.1 400 Bad Request: host a??X-Header: b???\r\nContent-Type: "));
}

/* Everything as long and as strange as it can be is still one JSON text that fits. */
static void test_hostile_texts(void **state) {
        static char long_text[5000], response[REPLY_SIZE_MAX + 1];
        static PolicyBinary binaries[300];
        static uint16_t ports[300];
        const PolicyEndpoint endpoint = { .host = long_text, .ports = ports, .port_count = 300 };
        const PolicyNetwork network = {
                .key = long_text, .name = long_text, .binaries = binaries, .binary_count = 300
        };
        const PolicyDecision decision = {
                .reason = POLICY_REASON_BINARY, .network = &network, .endpoint = &endpoint
        };
        Destination destination = { .port = 1 };
        const Refusal refusal = {
                .status = 403,
                .error = "policy_denied",
                .detail = long_text,
                .reason = "no_binary",
                .destination = &destination,
                .binary = long_text,
                .decision = &decision,
        };
        json_t *json;

        for (size_t i = 0; i < sizeof(long_text) - 1; i++)
                long_text[i] = "\"\\\n\x1b\xff<"[i % 6];
        memset(destination.host, '"', sizeof(destination.host) - 1);
        for (size_t i = 0; i < 300; i++) {
                binaries[i].path = long_text;
                ports[i] = 65535;
        }
        json = body_of(&refusal, response);
        assert_null(strchr(strstr(response, "\r\n\r\n") + 4, '\x1b'));
        json_decref(json);
}

static void test_without_policy(void **state) {
        const Refusal refusal = {
                .status = 431, .error = "request_too_large", .detail = "too large", .binary = ""
        };
        static char response[REPLY_SIZE_MAX + 1];
        json_t *json = body_of(&refusal, response);

        assert_null(json_object_get(json, "missing_rule"));
        assert_non_null(strstr(response, "431 Request Header Fields Too Large"));
        json_decref(json);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_missing_rule),
                cmocka_unit_test(test_status_line),
                cmocka_unit_test(test_hostile_texts),
                cmocka_unit_test(test_without_policy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
