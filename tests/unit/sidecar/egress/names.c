/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/names.h"

#include "policy/parse.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>

static const char text[] = "version: 1\n"
                           "network_policies:\n"
                           "  web:\n"
                           "    endpoints:\n"
                           "      - {host: web.test, port: 443}\n"
                           "      - {host: \"*.wild.test\", port: 443}\n"
                           "    binaries: [{path: \"/**\"}]\n";

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_HTTPS = 65, TYPE_ANY = 255 };
enum { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };

typedef struct Fixture {
        Pool *pool;
        Policy *policy;
        uint8_t answer[NAMES_ANSWER_MAX];
        size_t size;
        NamesOutcome outcome;
} Fixture;

static int setup(void **state) {
        static Fixture fixture;
        Diagnostics diagnostics = { 0 };

        fixture = (Fixture){ .pool = pool_new() };
        assert_non_null(fixture.pool);
        assert_int_equal(policy_parse(text, sizeof(text) - 1, &fixture.policy, &diagnostics), 0);
        assert_true(pool_pin(fixture.pool, "web.test", 0));
        *state = &fixture;
        return 0;
}

static int teardown(void **state) {
        Fixture *fixture = *state;

        (void)pool_free(fixture->pool);
        (void)policy_unref(fixture->policy);
        return 0;
}

static size_t write_query(uint8_t *query, const char *name, unsigned type, unsigned class) {
        static const uint8_t header[12] = { 0x12, 0x34, 0x01, 0, 0, 1 };
        size_t size = sizeof(header);

        memcpy(query, header, sizeof(header));
        while (*name != '\0') {
                const size_t label = strcspn(name, ".");

                query[size++] = (uint8_t)label;
                memcpy(query + size, name, label);
                size += label;
                name += label + (name[label] == '.');
        }
        query[size++] = 0;
        query[size++] = (uint8_t)(type >> 8);
        query[size++] = (uint8_t)type;
        query[size++] = (uint8_t)(class >> 8);
        query[size++] = (uint8_t) class;
        return size;
}

static void ask(Fixture *fixture, const uint8_t *query, size_t size) {
        fixture->size = names_answer(
                fixture->pool, fixture->policy, 0, query, size, fixture->answer, &fixture->outcome);
}

/* Returns the response code; *ret_count answers. */
static int ask_name(Fixture *fixture, const char *name, unsigned type, unsigned *ret_count) {
        uint8_t query[512];

        ask(fixture, query, write_query(query, name, type, 1));
        assert_true(fixture->size >= 12);
        assert_int_equal(fixture->answer[0], 0x12);
        assert_int_equal(fixture->answer[1], 0x34);
        assert_true((fixture->answer[2] & 0x80) != 0);
        *ret_count = (unsigned)fixture->answer[6] << 8 | fixture->answer[7];
        return fixture->answer[3] & 15;
}

static void expect(Fixture *fixture, const char *name, unsigned type, int code, unsigned count) {
        unsigned found;

        if (ask_name(fixture, name, type, &found) != code || found != count)
                fail_msg("%s %u: code %d, %u answers", name, type, fixture->answer[3] & 15, found);
}

static void test_known_names(void **state) {
        Fixture *fixture = *state;

        expect(fixture, "web.test", TYPE_A, NOERROR, 1);
        assert_int_equal(fixture->answer[fixture->size - 4], 198);
        assert_true(fixture->outcome.pinned);
        expect(fixture, "WeB.TeSt", TYPE_AAAA, NOERROR, 1);
        assert_int_equal(fixture->answer[fixture->size - 16], 0xfd);
        expect(fixture, "web.test", TYPE_ANY, NOERROR, 1);
        expect(fixture, "web.test", TYPE_HTTPS, NOERROR, 0);
        expect(fixture, "web.test", TYPE_TXT, NOERROR, 0);
        assert_int_equal(fixture->outcome.verdict, NAMES_EMPTY);
        assert_string_equal(fixture->outcome.type, "TXT");
        expect(fixture, "localhost", TYPE_A, NOERROR, 1);
        assert_int_equal(fixture->answer[fixture->size - 4], 127);
}

static void test_unknown_names(void **state) {
        static const char *const names[] = { "evil.test", "test", "wild.test", "a.b.wild.test",
                "web.test.evil.test", "web-test", "1.2.3.4", "xn--.wild.test.evil.test" };
        Fixture *fixture = *state;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                expect(fixture, names[i], TYPE_A, NXDOMAIN, 0);
                assert_int_equal(fixture->outcome.verdict, NAMES_UNKNOWN);
        }
}

/* A dot inside a label is no label's end. */
static void test_dot_in_label(void **state) {
        static const uint8_t query[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\x08web.test\0\0\1\0\1";
        Fixture *fixture = *state;

        ask(fixture, query, sizeof(query) - 1);
        assert_int_equal(fixture->answer[3] & 15, NXDOMAIN);
}

static void test_wildcard_is_told(void **state) {
        Fixture *fixture = *state;

        expect(fixture, "secret.wild.test", TYPE_A, NOERROR, 1);
        assert_true(fixture->outcome.fresh);
        assert_false(fixture->outcome.pinned);
        assert_string_equal(fixture->outcome.host, "secret.wild.test");
        expect(fixture, "secret.wild.test", TYPE_AAAA, NOERROR, 1);
        assert_false(fixture->outcome.fresh);
        expect(fixture, "other.wild.test", TYPE_TXT, NOERROR, 0); /* takes no place in the pool */
        expect(fixture, "other.wild.test", TYPE_A, NOERROR, 1);
        assert_true(fixture->outcome.fresh);
}

static void test_reverse(void **state) {
        Fixture *fixture = *state;
        char name[64];
        const uint8_t *at;

        expect(fixture, "web.test", TYPE_A, NOERROR, 1);
        at = fixture->answer + fixture->size - 4;
        (void)snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", at[3], at[2], at[1], at[0]);
        expect(fixture, name, TYPE_PTR, NOERROR, 1);
        assert_non_null(memmem(fixture->answer, fixture->size, "\3web\4test", 9));
        expect(fixture, name, TYPE_A, NOERROR, 0);
        expect(fixture, "4.3.2.1.in-addr.arpa", TYPE_PTR, NXDOMAIN, 0);
        expect(fixture, "4.3.2.in-addr.arpa", TYPE_PTR, NXDOMAIN, 0);
        expect(fixture, "256.3.2.1.in-addr.arpa", TYPE_PTR, NXDOMAIN, 0);
        expect(fixture, "1.ip6.arpa", TYPE_PTR, NXDOMAIN, 0);
}

static void test_broken(void **state) {
        Fixture *fixture = *state;
        uint8_t query[512], long_query[NAMES_QUERY_MAX + 1] = { 0x12, 0x34, 1, 0, 0, 1 };
        size_t size = write_query(query, "web.test", TYPE_A, 3);

        ask(fixture, query, size); /* class CHAOS */
        assert_int_equal(fixture->answer[3] & 15, REFUSED);
        query[2] = 0x28; /* UPDATE */
        ask(fixture, query, size);
        assert_int_equal(fixture->answer[3] & 15, NOTIMP);
        query[2] = 0x81; /* an answer */
        ask(fixture, query, size);
        assert_int_equal(fixture->size, 0);
        query[2] = 1;
        query[5] = 0; /* no question */
        ask(fixture, query, 12);
        assert_int_equal(fixture->answer[3] & 15, FORMERR);
        query[5] = 1;
        for (size_t cut = 12; cut < size; cut++) {
                ask(fixture, query, cut);
                assert_int_equal(fixture->answer[3] & 15, FORMERR);
        }
        ask(fixture, query, 11);
        assert_int_equal(fixture->size, 0);
        ask(fixture, long_query, sizeof(long_query));
        assert_int_equal(fixture->answer[3] & 15, FORMERR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_known_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unknown_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dot_in_label, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wildcard_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reverse, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
