/* SPDX-License-Identifier: Apache-2.0 */

#include "http/head.h"

#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRLF "\r\n"
#define HOST "Host: h" CRLF

/* In pieces of `piece` bytes. */
static int feed(HeadReader *reader, const char *text, size_t size, size_t piece, size_t *ret_used,
        Error *error) {
        size_t total = 0;
        int r = 0;

        while (r == 0 && total < size) {
                size_t part = size - total < piece ? size - total : piece;
                size_t used = 0;

                r = head_reader_feed(reader, text + total, part, &used, error);
                total += used;
        }
        *ret_used = total;
        return r;
}

static const struct {
        const char *text;
        HeadMethod method;
        const char *target;
        bool keep_alive;
} good[] = {
        { "GET / HTTP/1.1" CRLF HOST CRLF, HEAD_GET, "/", true },
        { "GET /a?b=c%20d HTTP/1.0" CRLF CRLF, HEAD_GET, "/a?b=c%20d", false },
        { "POST /x HTTP/1.1" CRLF HOST "Content-Length: 0" CRLF CRLF, HEAD_POST, "/x", true },
        { "DELETE /x HTTP/1.1" CRLF HOST "Connection: close" CRLF CRLF, HEAD_OTHER, "/x", false },
        { "GET /x HTTP/1.1" CRLF HOST "Upgrade: websocket" CRLF "Connection: Upgrade" CRLF CRLF,
                HEAD_GET, "/x", true },
        { "POST /x HTTP/1.1" CRLF HOST "Upgrade: SPDY/3.1" CRLF "Connection: Upgrade" CRLF CRLF,
                HEAD_POST, "/x", true },
        { CRLF CRLF "GET /x HTTP/1.1" CRLF HOST CRLF, HEAD_GET, "/x", true },
};

static void test_good(void **state) {
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
                for (size_t piece = 1; piece < 80; piece += 13) {
                        cleanup(head_reader_freep) HeadReader *reader = head_reader_new(0);
                        char text[512];
                        const Head *head = head_reader_head(reader);
                        Error error = { 0 };
                        size_t used = 0;
                        int size = snprintf(text, sizeof(text), "%s\x82rest", good[i].text);

                        assert_int_equal(feed(reader, text, (size_t)size, piece, &used, &error), 1);
                        assert_int_equal(used, strlen(good[i].text));
                        assert_int_equal(head->method, good[i].method);
                        assert_string_equal(head->target, good[i].target);
                        assert_int_equal(head->keep_alive, good[i].keep_alive);
                }
}

static const struct {
        const char *text;
        const char *says;
} bad[] = {
        { "GET / HTTP/1.1" CRLF CRLF, "'Host' is missing" },
        { "GET / HTTP/0.9" CRLF CRLF, "HTTP" },
        { "GET / HTTP/1.2" CRLF HOST CRLF, "HTTP/1.1" },
        { "GET / HTTP/2.0" CRLF HOST CRLF, "HTTP/1.1" },
        { "GET /\n" HOST CRLF, "" },
        { "GET / HTTP/1.1\n" HOST CRLF, "CR LF" },
        { "GET / HTTP/1.1" CRLF "Host: h\n" CRLF, "CR LF" },
        { "GET / HTTP/1.1" CRLF HOST "Host : h" CRLF CRLF, "blank" },
        { "GET / HTTP/1.1" CRLF HOST "Authorization: a" CRLF " b" CRLF CRLF, "folded" },
        { "GET / HTTP/1.1" CRLF HOST HOST CRLF, "'host' came twice" },
        { "GET / HTTP/1.1" CRLF HOST "authorization: a" CRLF "AUTHORIZATION: b" CRLF CRLF,
                "'authorization' came twice" },
        { "GET / HTTP/1.1" CRLF HOST "Sec-WebSocket-Key: a" CRLF "Sec-WebSocket-Key: a" CRLF CRLF,
                "came twice" },
        { "POST / HTTP/1.1" CRLF HOST "Content-Length: 1" CRLF CRLF "x", "no body" },
        { "POST / HTTP/1.1" CRLF HOST "Transfer-Encoding: chunked" CRLF CRLF, "no body" },
        { "GET / HTTP/1.1" CRLF HOST "Transfer-Encoding: identity" CRLF CRLF, "no body" },
        { "GET / HTTP/1.1" CRLF HOST "Content-Length: 0" CRLF "Content-Length: 0" CRLF CRLF, "" },
        { "\x16\x03\x01", "not an HTTP/1 request" },
        { "PRI * HTTP/2.0" CRLF CRLF, "" },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                for (size_t piece = 1; piece < 80; piece += 13) {
                        cleanup(head_reader_freep) HeadReader *reader = head_reader_new(0);
                        Error error = { 0 };
                        size_t used = 0;

                        if (feed(reader, bad[i].text, strlen(bad[i].text), piece, &used, &error) !=
                                        -1 ||
                                strstr(error.text, bad[i].says) == NULL)
                                fail_msg("%s: %s", bad[i].text, error.text);
                        assert_int_equal(error.kind, ERROR_INPUT);
                }
}

static void test_nul(void **state) {
        static const char text[] = "GET / HTTP/1.1" CRLF HOST "X: a\0b" CRLF CRLF;
        cleanup(head_reader_freep) HeadReader *reader = head_reader_new(0);
        Error error = { 0 };
        size_t used = 0;

        assert_int_equal(feed(reader, text, sizeof(text) - 1, 1000, &used, &error), -1);
}

/* head, `unit` repeated to `size` bytes, tail */
static int feed_long(
        const char *head, const char *unit, size_t size, const char *tail, Error *error) {
        cleanup(head_reader_freep) HeadReader *reader = head_reader_new(0);
        cleanup_free char *text = malloc(strlen(head) + size + strlen(unit) + strlen(tail) + 1);
        size_t at = strlen(head);
        size_t used;

        memcpy(text, head, at);
        while (at < strlen(head) + size) {
                memcpy(text + at, unit, strlen(unit));
                at += strlen(unit);
        }
        memcpy(text + at, tail, strlen(tail) + 1);
        return feed(reader, text, strlen(text), 16384, &used, error);
}

static void test_limits(void **state) {
        Error error = { 0 };

        assert_int_equal(
                feed_long("GET /", "x", HEAD_TARGET_MAX - 1, " HTTP/1.1" CRLF HOST CRLF, &error),
                1);
        assert_int_equal(
                feed_long("GET /", "x", HEAD_TARGET_MAX, " HTTP/1.1" CRLF HOST CRLF, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_int_equal(feed_long("GET / HTTP/1.1" CRLF HOST "X: ", "x", HEAD_FIELDS_SIZE_MAX - 6,
                                 CRLF CRLF, &error),
                1);
        assert_int_equal(feed_long("GET / HTTP/1.1" CRLF HOST "X: ", "x", HEAD_FIELDS_SIZE_MAX,
                                 CRLF CRLF, &error),
                -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_int_equal(feed_long("GET / HTTP/1.1" CRLF HOST, "X: y" CRLF,
                                 strlen("X: y" CRLF) * (HEAD_FIELDS_MAX - 1), CRLF, &error),
                1);
        assert_int_equal(feed_long("GET / HTTP/1.1" CRLF HOST, "X: y" CRLF,
                                 strlen("X: y" CRLF) * HEAD_FIELDS_MAX, CRLF, &error),
                -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
}

static void test_fields(void **state) {
        static const char text[] =
                "GET / HTTP/1.1" CRLF HOST "Empty:" CRLF "Connection: keep-alive, UPGRADE" CRLF
                "X-List: a,b" CRLF "X-List: c" CRLF CRLF;
        cleanup(head_reader_freep) HeadReader *reader = head_reader_new(0);
        const Head *head = head_reader_head(reader);
        Error error = { 0 };
        size_t used;

        assert_int_equal(feed(reader, text, strlen(text), 7, &used, &error), 1);
        assert_string_equal(head_field(head, "host"), "h");
        assert_string_equal(head_field(head, "empty"), "");
        assert_null(head_field(head, "absent"));
        assert_true(head_field_has(head, "connection", "upgrade"));
        assert_false(head_field_has(head, "connection", "upgrad"));
        assert_true(head_field_has(head, "x-list", "c"));
        assert_true(head_field_has(head, "x-list", "B"));
        assert_false(head_field_has(head, "x-list", "d"));
}

static const struct {
        const char *fields;
        size_t body_max;
        int outcome;
        size_t body_size;
        ErrorKind kind;
} bodies[] = {
        { "Content-Length: 5" CRLF, 5, 1, 5, 0 },
        { "", 5, 1, 0, 0 },
        { "Content-Length: 6" CRLF, 5, -1, 0, ERROR_LIMIT },
        { "Content-Length: 1" CRLF, 0, -1, 0, ERROR_INPUT },
        { "Content-Length: -1" CRLF, 5, -1, 0, ERROR_INPUT },
        { "Content-Length: 0x4" CRLF, 5, -1, 0, ERROR_INPUT },
        { "Content-Length: 18446744073709551617" CRLF, 5, -1, 0, ERROR_INPUT },
        { "Content-Length: 5" CRLF "Content-Length: 5" CRLF, 5, -1, 0, ERROR_INPUT },
        { "Transfer-Encoding: chunked" CRLF, 5, -1, 0, ERROR_INPUT },
        { "Transfer-Encoding: chunked" CRLF "Content-Length: 5" CRLF, 5, -1, 0, ERROR_INPUT },
};

/* The reader stops where the body begins, and says how long it is. */
static void test_bodies(void **state) {
        for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
                cleanup(head_reader_freep) HeadReader *reader = head_reader_new(bodies[i].body_max);
                Error error = { 0 };
                char text[256];
                size_t used = 0;
                int size = snprintf(text, sizeof(text),
                        "POST /x HTTP/1.1" CRLF HOST "%s" CRLF "12345", bodies[i].fields);

                assert_int_equal(feed(reader, text, (size_t)size, (size_t)size, &used, &error),
                        bodies[i].outcome);
                if (bodies[i].outcome < 0) {
                        assert_int_equal(error.kind, bodies[i].kind);
                        continue;
                }
                assert_int_equal(used, (size_t)size - strlen("12345"));
                assert_int_equal(head_reader_head(reader)->body_size, bodies[i].body_size);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
