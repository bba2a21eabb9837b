/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/corporate.h"

#include "tests/helpers/unit.h"

#include <string.h>

static Destination to(const char *text) {
        Destination destination;

        assert_int_equal(destination_parse(text, strlen(text), 443, &destination, NULL), 0);
        return destination;
}

static void test_choosing(void **state) {
        static const struct {
                const char *destination;
                bool direct;
        } cases[] = {
                { "api.example.com", false },
                { "internal", true },
                { "db.internal", true },
                { "notinternal", false },
                { "corp.example", true },
                { "x.corp.example", true },
                { "xcorp.example", false },
                { "10.1.2.3", true },
                { "11.1.2.3", false },
                { "port.example:8080", true },
                { "port.example:8081", false },
                { "[2001:db8::1]", true },
        };
        Corporate corporate;

        assert_int_equal(
                corporate_parse("http://proxy.corp:8080", NULL,
                        "internal, .corp.example,10.0.0.0/8,port.example:8080,2001:db8::/32",
                        &corporate, NULL),
                0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const Destination destination = to(cases[i].destination);

                assert_int_equal(
                        corporate_choose(&corporate, &destination, false) == NULL, cases[i].direct);
                assert_null(corporate_choose(
                        &corporate, &destination, true)); /* HTTP_PROXY is not set */
        }
        corporate_done(&corporate);
}

static void test_connect_head(void **state) {
        const Destination destination = to("[2001:db8::1]:443");
        char head[CORPORATE_HEAD_MAX];
        Corporate corporate;
        size_t size;

        assert_int_equal(corporate_parse("http://us%65r:p%40ss@proxy.corp/", "http://other:81", "",
                                 &corporate, NULL),
                0);
        assert_int_equal(corporate.tunnel.address.port, 3128);
        assert_int_equal(corporate.forward.address.port, 81);
        size = corporate_write_connect(&corporate.tunnel, &destination, head);
        head[size] = '\0';
        assert_string_equal(head,
                "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n"
                "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n");
        corporate_done(&corporate);
}

static void test_bad_settings(void **state) {
        static const char *const bad[] = { "https://proxy", "socks5://proxy", "proxy:3128",
                "http://proxy/path", "http://proxy:99999", "http://u%zz@proxy", "http://" };
        Corporate corporate;
        Error error;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(corporate_parse(bad[i], NULL, NULL, &corporate, &error), -1);
        assert_int_equal(
                corporate_parse("http://u:secret@host/x", NULL, NULL, &corporate, &error), -1);
        assert_null(strstr(error.text, "secret"));
}

static void test_answers(void **state) {
        static const char good[] = "HTTP/1.0 200 OK\r\nVia: x\r\n\r\nbytes";
        static const char refusal[] = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
        char large[CORPORATE_ANSWER_MAX];
        size_t size = 0;
        Error error;

        for (size_t part = 0; part < sizeof(good) - 6; part++)
                assert_int_equal(
                        corporate_read_answer(good, part, &size, NULL), CORPORATE_INCOMPLETE);
        assert_int_equal(corporate_read_answer(good, sizeof(good) - 1, &size, NULL), 0);
        assert_int_equal(size, sizeof(good) - 6);
        assert_int_equal(corporate_read_answer(refusal, sizeof(refusal) - 1, &size, &error), -1);
        assert_non_null(strstr(error.text, "407"));
        assert_int_equal(corporate_read_answer("SSH-2.0-x\r\n\r\n", 13, &size, NULL), -1);
        memset(large, 'a', sizeof(large));
        assert_int_equal(corporate_read_answer(large, sizeof(large), &size, NULL), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_choosing),
                cmocka_unit_test(test_connect_head),
                cmocka_unit_test(test_bad_settings),
                cmocka_unit_test(test_answers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
