/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/hello.h"

#include "tests/helpers/unit.h"

#include <string.h>

/* A ClientHello under construction: extensions, then the message, then the records around it. */
typedef struct Bytes {
        uint8_t data[40000];
        size_t size;
} Bytes;

static void add(Bytes *bytes, const void *data, size_t size) {
        assert_true(bytes->size + size <= sizeof(bytes->data));
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
}

static void add_number(Bytes *bytes, size_t value, size_t size) {
        while (size-- > 0)
                add(bytes, &(uint8_t){ (uint8_t)(value >> (8 * size)) }, 1);
}

static void add_extension(Bytes *bytes, size_t type, const void *data, size_t size) {
        add_number(bytes, type, 2);
        add_number(bytes, size, 2);
        add(bytes, data, size);
}

static void add_server_name(Bytes *bytes, const char *name, size_t size) {
        add_number(bytes, 0, 2);
        add_number(bytes, size + 5, 2);
        add_number(bytes, size + 3, 2);
        add_number(bytes, 0, 1);
        add_number(bytes, size, 2);
        add(bytes, name, size);
}

static void add_message(Bytes *message, const Bytes *extensions) {
        static const uint8_t random[32], session[32];
        const size_t size = 2 + 32 + 1 + 32 + 2 + 4 + 1 + 1 + 2 + extensions->size;

        add_number(message, 1, 1);
        add_number(message, size, 3);
        add_number(message, 0x0303, 2);
        add(message, random, sizeof(random));
        add_number(message, sizeof(session), 1);
        add(message, session, sizeof(session));
        add_number(message, 4, 2);
        add_number(message, 0x13011302, 4);
        add_number(message, 1, 1);
        add_number(message, 0, 1);
        add_number(message, extensions->size, 2);
        add(message, extensions->data, extensions->size);
}

/* In records of at most `most` bytes. */
static void add_records(Bytes *records, const Bytes *message, size_t most) {
        for (size_t at = 0; at < message->size;) {
                const size_t size = message->size - at < most ? message->size - at : most;

                add_number(records, 0x16, 1);
                add_number(records, 0x0301, 2);
                add_number(records, size, 2);
                add(records, message->data + at, size);
                at += size;
        }
}

static void make(Bytes *records, const Bytes *extensions, size_t most) {
        Bytes message = { 0 };

        add_message(&message, extensions);
        add_records(records, &message, most);
}

static void make_named(Bytes *records, const char *name, size_t most) {
        Bytes extensions = { 0 };

        add_extension(&extensions, 0x0010, "\0\3\2h2", 5);
        add_server_name(&extensions, name, strlen(name));
        add_extension(&extensions, 0x002b, "\2\3\4", 3);
        make(records, &extensions, most);
}

static void test_name(void **state) {
        Bytes records = { 0 };
        Hello hello;

        make_named(&records, "API.Example.com", 16384);
        assert_int_equal(hello_parse(records.data, records.size, &hello, NULL), 0);
        assert_string_equal(hello.server_name, "api.example.com");
        assert_false(hello.encrypted);
}

/* However it is cut, by segments or by records, it is incomplete until its last byte and then
 * right. */
static void test_split(void **state) {
        for (size_t most = 1; most < 200; most += 7) {
                Bytes records = { 0 };
                Hello hello;

                make_named(&records, "api.example.com", most);
                for (size_t size = 0; size < records.size; size++)
                        assert_int_equal(
                                hello_parse(records.data, size, &hello, NULL), HELLO_INCOMPLETE);
                assert_int_equal(hello_parse(records.data, records.size, &hello, NULL), 0);
                assert_string_equal(hello.server_name, "api.example.com");

                /* Early data follows in records of its own. */
                add(&records, "\x17\3\3\0\4data", 9);
                assert_int_equal(hello_parse(records.data, records.size, &hello, NULL), 0);
        }
}

static void test_without_name(void **state) {
        Bytes extensions = { 0 }, records = { 0 };
        Hello hello;

        make(&records, &extensions, 16384);
        assert_int_equal(hello_parse(records.data, records.size, &hello, NULL), 0);
        assert_string_equal(hello.server_name, "");
}

static void test_encrypted(void **state) {
        Bytes extensions = { 0 }, records = { 0 };
        Hello hello;

        add_server_name(&extensions, "public.example", 14);
        add_extension(&extensions, 0xfe0d, "\0\0\1\0\1\5", 6);
        make(&records, &extensions, 16384);
        assert_int_equal(hello_parse(records.data, records.size, &hello, NULL), 0);
        assert_string_equal(hello.server_name, "public.example");
        assert_true(hello.encrypted);
}

static void test_not_tls(void **state) {
        Hello hello;

        assert_int_equal(hello_parse((const uint8_t *)"GET / HTTP/1.1\r\n", 16, &hello, NULL),
                HELLO_NOT_TLS);
        assert_int_equal(hello_parse((const uint8_t *)"", 0, &hello, NULL), HELLO_INCOMPLETE);
}

static void expect_refusal(const Bytes *records, const char *says) {
        Error error = { 0 };
        Hello hello;

        assert_int_equal(hello_parse(records->data, records->size, &hello, &error), -1);
        if (strstr(error.text, says) == NULL)
                fail_msg("'%s' does not say '%s'", error.text, says);
}

static void expect_bad_name(const char *name, size_t size) {
        Bytes extensions = { 0 }, records = { 0 };

        add_server_name(&extensions, name, size);
        make(&records, &extensions, 16384);
        expect_refusal(&records, "not one host name");
}

static void test_bad_names(void **state) {
        static const char long_name[300] = { [0 ... 298] = 'a' };
        Bytes twice = { 0 }, two_in_list = { 0 }, records = { 0 };

        expect_bad_name("", 0);
        expect_bad_name("a\0b", 3);
        expect_bad_name("a b", 3);
        expect_bad_name("[::1]", 5);
        expect_bad_name(long_name, 256);

        add_server_name(&twice, "good.example", 12);
        add_server_name(&twice, "evil.example", 12);
        make(&records, &twice, 16384);
        expect_refusal(&records, "two server names");

        records.size = 0;
        add_extension(&two_in_list, 0, "\0\x08\0\0\1a\0\0\1b", 10);
        make(&records, &two_in_list, 16384);
        expect_refusal(&records, "not one host name");

        records.size = 0;
        two_in_list.size = 0;
        add_extension(&two_in_list, 0, "\0\4\1\0\1a", 6); /* another type of name */
        make(&records, &two_in_list, 16384);
        expect_refusal(&records, "not one host name");
}

/* Each byte of the framing made wrong in turn: never a name other than the right one, never out of
 * bounds (asan). */
static void test_flipped(void **state) {
        Bytes records = { 0 };

        make_named(&records, "api.example.com", 64);
        for (size_t at = 0; at < records.size; at++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        Hello hello;

                        records.data[at] = (uint8_t)(records.data[at] ^ 1U << bit);
                        (void)hello_parse(records.data, records.size, &hello, NULL);
                        records.data[at] = (uint8_t)(records.data[at] ^ 1U << bit);
                }
}

static void test_malformed(void **state) {
        static const uint8_t zeros[20000];
        Bytes records = { 0 }, large = { 0 }, message = { 0 }, extensions = { 0 };

        make_named(&records, "api.example.com", 30);
        records.data[35] = 0x17; /* the second record is application data */
        expect_refusal(&records, "not a handshake's");

        records.size = 0;
        make_named(&records, "api.example.com", 16384);
        records.data[1] = 2;
        expect_refusal(&records, "no version of TLS");
        records.data[1] = 3;
        records.data[5] = 2; /* a ServerHello */
        expect_refusal(&records, "another message");
        records.data[5] = 1;
        records.data[3] = 0;
        records.data[4] = 0;
        expect_refusal(&records, "length that TLS does not have");

        add_extension(&large, 0x0015, zeros, 17000);
        records.size = 0;
        make(&records, &large, 16384);
        expect_refusal(&records, "too long");

        add_message(&message, &extensions);
        add(&message, "x", 1);
        records.size = 0;
        add_records(&records, &message, 16384);
        expect_refusal(&records, "bytes behind it");

        /* Records so small that the whole is longer than we read. */
        records.size = 0;
        message.size = 0;
        large.size = 0;
        add_extension(&large, 0x0015, zeros, 4000);
        add_message(&message, &large);
        add_records(&records, &message, 1);
        records.size = HELLO_SIZE_MAX;
        expect_refusal(&records, "too long");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_without_name),
                cmocka_unit_test(test_encrypted),
                cmocka_unit_test(test_not_tls),
                cmocka_unit_test(test_bad_names),
                cmocka_unit_test(test_flipped),
                cmocka_unit_test(test_malformed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
