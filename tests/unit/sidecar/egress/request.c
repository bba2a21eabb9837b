/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/request.h"

#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>

#define CRLF "\r\n"

static const struct {
        const char *head;
        RequestForm form;
        const char *host;
        uint16_t port;
        uint64_t body_size;
} good[] = {
        { "CONNECT api.example.com:443 HTTP/1.1" CRLF "Host: api.example.com:443" CRLF CRLF,
                REQUEST_TUNNEL, "api.example.com", 443, 0 },
        { "CONNECT API.Example.com.:443 HTTP/1.0" CRLF CRLF, REQUEST_TUNNEL, "api.example.com", 443,
                0 },
        { "CONNECT a.example:8443 HTTP/1.1" CRLF "Host: a.example" CRLF CRLF, REQUEST_TUNNEL,
                "a.example", 8443, 0 },
        { "CONNECT [2001:DB8::1]:443 HTTP/1.1" CRLF "Host: [2001:db8::1]:443" CRLF CRLF,
                REQUEST_TUNNEL, "2001:db8::1", 443, 0 },
        { "CONNECT [::ffff:10.0.0.1]:443 HTTP/1.1" CRLF CRLF, REQUEST_TUNNEL, "10.0.0.1", 443, 0 },
        { "CONNECT 10.0.0.1:443 HTTP/1.1" CRLF "Content-Length: 0" CRLF CRLF, REQUEST_TUNNEL,
                "10.0.0.1", 443, 0 },
        { "GET http://a.example/x?y=1 HTTP/1.1" CRLF "Host: a.example" CRLF CRLF, REQUEST_FORWARD,
                "a.example", 80, 0 },
        { "GET HTTP://a.example:8080 HTTP/1.1" CRLF "Host: a.example:8080" CRLF CRLF,
                REQUEST_FORWARD, "a.example", 8080, 0 },
        { "POST http://a.example/ HTTP/1.1" CRLF "Host: a.example" CRLF
          "Content-Length: 17" CRLF CRLF,
                REQUEST_FORWARD, "a.example", 80, 17 },
        { "GET http://a.example?q HTTP/1.1" CRLF "Host: a.example:80" CRLF CRLF, REQUEST_FORWARD,
                "a.example", 80, 0 },
};

static void test_good(void **state) {
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                char text[1024];
                Request request;
                unsigned status = 0;
                Error error = { 0 };
                int size = snprintf(text, sizeof(text), "%srest", good[i].head);

                if (request_parse(text, (size_t)size, &request, &status, &error) != 0)
                        fail_msg("%s: %u %s", good[i].head, status, error.text);
                assert_int_equal(request.form, good[i].form);
                assert_string_equal(request.destination.host, good[i].host);
                assert_int_equal(request.destination.port, good[i].port);
                assert_int_equal(request.body_size, good[i].body_size);
                assert_int_equal(request.head_size, strlen(good[i].head));
                for (size_t part = 0; part < request.head_size; part++)
                        assert_int_equal(request_parse(text, part, &request, &status, &error),
                                REQUEST_INCOMPLETE);
        }
}

static const struct {
        unsigned status;
        const char *says;
        const char *head;
} bad[] = {
        { 400, "Use CONNECT for HTTPS URLs",
                "GET https://a.example/ HTTP/1.1" CRLF "Host: a.example" CRLF CRLF },
        { 400, "this is a proxy", "GET / HTTP/1.1" CRLF "Host: a.example" CRLF CRLF },
        { 400, "this is a proxy", "GET ftp://a.example/ HTTP/1.1" CRLF CRLF },
        { 400, "no port", "CONNECT a.example HTTP/1.1" CRLF CRLF },
        { 400, "no port", "CONNECT a.example:0 HTTP/1.1" CRLF CRLF },
        { 400, "port", "CONNECT a.example:65536 HTTP/1.1" CRLF CRLF },
        { 400, "port", "CONNECT a.example:443x HTTP/1.1" CRLF CRLF },
        { 400, "looks like a number", "CONNECT 0x7f000001:80 HTTP/1.1" CRLF CRLF },
        { 400, "looks like a number", "CONNECT 2130706433:80 HTTP/1.1" CRLF CRLF },
        { 400, "looks like a number", "CONNECT 127.1:80 HTTP/1.1" CRLF CRLF },
        { 400, "looks like a number", "GET http://0177.0.0.1/ HTTP/1.1" CRLF CRLF },
        { 400, "", "CONNECT ::1:80 HTTP/1.1" CRLF CRLF },
        { 400, "", "CONNECT [fe80::1%25eth0]:80 HTTP/1.1" CRLF CRLF },
        { 400, "", "CONNECT *.example.com:443 HTTP/1.1" CRLF CRLF },
        { 400, "a user in the URL", "GET http://user:secret@a.example/ HTTP/1.1" CRLF CRLF },
        { 400, "fragment", "GET http://a.example/#x HTTP/1.1" CRLF CRLF },
        { 400, "another host", "GET http://a.example/ HTTP/1.1" CRLF "Host: b.example" CRLF CRLF },
        { 400, "another host",
                "CONNECT a.example:443 HTTP/1.1" CRLF "Host: b.example:443" CRLF CRLF },
        { 400, "stands twice",
                "GET http://a.example/ HTTP/1.1" CRLF "Host: a.example" CRLF
                "host: a.example" CRLF CRLF },
        /* bodies with two readings */
        { 400, "content-length",
                "POST http://a.example/ HTTP/1.1" CRLF "Content-Length: 3" CRLF
                "Content-Length: 3" CRLF CRLF },
        { 400, "",
                "POST http://a.example/ HTTP/1.1" CRLF "Content-Length: 3" CRLF
                "Transfer-Encoding: chunked" CRLF CRLF },
        { 400, "",
                "POST http://a.example/ HTTP/1.1" CRLF "Transfer-Encoding: chunked" CRLF
                "Content-Length: 3" CRLF CRLF },
        { 411, "Content-Length only",
                "POST http://a.example/ HTTP/1.1" CRLF "Transfer-Encoding: chunked" CRLF CRLF },
        { 411, "Content-Length only",
                "POST http://a.example/ HTTP/1.1" CRLF "Transfer-Encoding: xchunked" CRLF CRLF },
        { 400, "", "POST http://a.example/ HTTP/1.1" CRLF "Content-Length: +3" CRLF CRLF },
        { 400, "", "POST http://a.example/ HTTP/1.1" CRLF "Content-Length: 3, 3" CRLF CRLF },
        { 400, "", "POST http://a.example/ HTTP/1.1" CRLF "Content-Length: 0x3" CRLF CRLF },
        { 400, "",
                "POST http://a.example/ HTTP/1.1" CRLF
                "Content-Length: 99999999999999999999" CRLF CRLF },
        { 400, "", "POST http://a.example/ HTTP/1.1" CRLF "Content-Length:" CRLF CRLF },
        { 400, "no body", "CONNECT a.example:443 HTTP/1.1" CRLF "Content-Length: 5" CRLF CRLF },
        /* lines with two readings */
        { 400, "an empty line before", CRLF "GET http://a.example/ HTTP/1.1" CRLF CRLF },
        { 400, "without a carriage return", "GET http://a.example/ HTTP/1.1\nHost: a.example\n\n" },
        { 400, "without a carriage return",
                "GET http://a.example/ HTTP/1.1" CRLF "A: b\nHost: a.example" CRLF CRLF },
        { 400, "without a line feed",
                "GET http://a.example/ HTTP/1.1" CRLF "A: b\rContent-Length: 4" CRLF CRLF },
        { 400, "goes on in the next line",
                "GET http://a.example/ HTTP/1.1" CRLF "A: b" CRLF " c" CRLF CRLF },
        { 400, "character", "GET http://a.example/ HTTP/1.1" CRLF "Content-Length : 4" CRLF CRLF },
        { 400, "character", "GET http://a.example/ HTTP/1.1" CRLF "Content\xc3\xa9: 4" CRLF CRLF },
        { 400, "control character", "GET http://a.example/ HTTP/1.1" CRLF "A: b\x01" CRLF CRLF },
        { 501, "", "BREW http://a.example/ HTTP/1.1" CRLF CRLF },
        { 405, "TRACE", "TRACE http://a.example/ HTTP/1.1" CRLF CRLF },
        { 505, "", "GET http://a.example/ HTTP/2.0" CRLF CRLF },
        { 505, "", "GET http://a.example/" CRLF CRLF },
        { 400, "", "\x16\x03\x01" CRLF CRLF },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                Request request;
                unsigned status = 0;
                Error error = { 0 };

                if (request_parse(bad[i].head, strlen(bad[i].head), &request, &status, &error) !=
                        -1)
                        fail_msg("taken: %s", bad[i].head);
                if (status != bad[i].status || strstr(error.text, bad[i].says) == NULL)
                        fail_msg("%s: %u '%s' does not say %u '%s'", bad[i].head, status,
                                error.text, bad[i].status, bad[i].says);
        }
}

static void test_nul(void **state) {
        static const char head[] = "CONNECT a.example\0:443 HTTP/1.1" CRLF CRLF;
        Request request;
        unsigned status = 0;

        assert_int_equal(request_parse(head, sizeof(head) - 1, &request, &status, NULL), -1);
        assert_int_equal(status, 400);
}

static void test_too_large(void **state) {
        char head[REQUEST_HEAD_MAX + 1024];
        unsigned status = 0;
        Request request;
        int size;

        memset(head, 'a', sizeof(head));
        memcpy(head, "CONNECT ", 8);
        assert_int_equal(request_parse(head, REQUEST_HEAD_MAX - 1, &request, &status, NULL),
                REQUEST_INCOMPLETE);
        assert_int_equal(request_parse(head, REQUEST_HEAD_MAX, &request, &status, NULL), -1);
        assert_int_equal(status, 431);

        size = snprintf(head, sizeof(head), "CONNECT a.example:443 HTTP/1.1\r\n");
        for (int i = 0; i < 101; i++)
                size += snprintf(head + size, sizeof(head) - (size_t)size, "A: b\r\n");
        size += snprintf(head + size, sizeof(head) - (size_t)size, "\r\n");
        status = 0;
        assert_int_equal(request_parse(head, (size_t)size, &request, &status, NULL), -1);
        assert_int_equal(status, 431);
}

static void expect_forward(const char *head, const char *authorization, const char *expected) {
        char forward[REQUEST_FORWARD_MAX];
        unsigned status = 0;
        Request request;
        size_t size;

        assert_int_equal(request_parse(head, strlen(head), &request, &status, NULL), 0);
        size = request_write_forward(&request, authorization, forward, sizeof(forward));
        assert_true(size > 0);
        forward[size] = '\0';
        assert_string_equal(forward, expected);
}

static void test_forward(void **state) {
        expect_forward("POST http://A.example:80/x?y HTTP/1.0" CRLF "hOst: a.example" CRLF
                       "Accept: */*  " CRLF "Proxy-Connection: keep-alive" CRLF
                       "Proxy-Authorization: Basic c2VjcmV0" CRLF
                       "Connection: X-Secret, Content-Length" CRLF "X-Secret: 1" CRLF
                       "Upgrade: h2c" CRLF "Content-Length: 5" CRLF "Empty:" CRLF CRLF "hello",
                NULL,
                "POST /x?y HTTP/1.1" CRLF "Host: a.example" CRLF "Connection: close" CRLF
                "Accept: */*" CRLF "Content-Length: 5" CRLF "Empty: " CRLF CRLF);
        expect_forward("GET http://[2001:db8::1]:8080?q HTTP/1.1" CRLF
                       "Host: [2001:db8::1]:8080" CRLF CRLF,
                "",
                "GET http://[2001:db8::1]:8080/?q HTTP/1.1" CRLF "Host: [2001:db8::1]:8080" CRLF
                "Connection: close" CRLF CRLF);
        expect_forward("GET http://a.example HTTP/1.1" CRLF "Host: a.example" CRLF CRLF, NULL,
                "GET / HTTP/1.1" CRLF "Host: a.example" CRLF "Connection: close" CRLF CRLF);
}

/* The largest head that is taken still fits when it is written anew. */
static void test_forward_fits(void **state) {
        char head[REQUEST_HEAD_MAX], forward[REQUEST_FORWARD_MAX];
        unsigned status = 0;
        Request request;
        int size = snprintf(head, sizeof(head), "GET http://a.example HTTP/1.1\r\nA: ");

        memset(head + size, 'a', sizeof(head) - (size_t)size);
        memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
        assert_int_equal(request_parse(head, sizeof(head), &request, &status, NULL), 0);
        assert_true(request_write_forward(&request, "", forward, sizeof(forward)) > 0);
        assert_int_equal(request_write_forward(&request, "", forward, 100), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_forward),
                cmocka_unit_test(test_forward_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
