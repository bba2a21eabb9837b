/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/pool.h"

#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>

typedef struct Found {
        Address ipv4, ipv6;
        bool pinned, fresh;
} Found;

static Found add(Pool *pool, const char *host, int64_t now) {
        Found found = { 0 };

        assert_true(
                pool_add(pool, host, &found.ipv4, &found.ipv6, now, &found.pinned, &found.fresh));
        return found;
}

static void test_both_ways(void **state) {
        cleanup(pool_freep) Pool *pool = pool_new();
        cleanup(pool_freep) Pool *restarted = pool_new();
        const Found first = add(pool, "api.example.com", 0),
                    again = add(pool, "api.example.com", 1);
        Found after;

        assert_true(first.fresh);
        assert_false(again.fresh);
        assert_true(address_equal(&first.ipv4, &again.ipv4));
        assert_int_equal(first.ipv4.family, 4);
        assert_int_equal(first.ipv4.bytes[0], 198);
        assert_int_equal(first.ipv4.bytes[1] & 0xfe, 18);
        assert_string_equal(pool_find(pool, &first.ipv4, 1), "api.example.com");
        assert_string_equal(pool_find(pool, &first.ipv6, 1), "api.example.com");

        /* A restarted role gives the name the same address, whatever else it was asked before. */
        (void)add(restarted, "other.example.com", 0);
        after = add(restarted, "api.example.com", 0);
        assert_true(address_equal(&first.ipv4, &after.ipv4));
}

static void test_foreign_addresses(void **state) {
        cleanup(pool_freep) Pool *pool = pool_new();
        const Found found = add(pool, "api.example.com", 0);
        Address other = found.ipv4;

        other.bytes[1] = 20;
        assert_null(pool_find(pool, &other, 0));
        other = found.ipv6;
        other.bytes[12] = 1;
        assert_null(pool_find(pool, &other, 0));
        other = found.ipv6;
        other.bytes[13] = 2;
        assert_null(pool_find(pool, &other, 0));
        other = found.ipv6;
        other.bytes[7] ^= 1;
        assert_null(pool_find(pool, &other, 0));
}

/* More names than there is room for: the oldest go, those that the policy wrote stay, and no
 * address ever says another's name. */
static void test_bounded(void **state) {
        cleanup(pool_freep) Pool *pool = pool_new();
        char host[32];
        Found found;

        assert_true(pool_pin(pool, "pinned.example.com", 0));
        for (int i = 0; i < 3 * (int)POOL_NAMES_MAX; i++) {
                (void)snprintf(host, sizeof(host), "n%d.example.com", i);
                found = add(pool, host, i);
                assert_string_equal(pool_find(pool, &found.ipv4, i), host);
        }
        found = add(pool, "pinned.example.com", 3 * (int)POOL_NAMES_MAX);
        assert_false(found.fresh);
        assert_true(found.pinned);
        found = add(pool, "n0.example.com", 3 * (int)POOL_NAMES_MAX);
        assert_true(found.fresh);
}

static void test_full_of_pinned(void **state) {
        cleanup(pool_freep) Pool *pool = pool_new();
        char host[32];
        unsigned pinned = 0;
        Found found;

        for (unsigned i = 0; i < POOL_NAMES_MAX; i++) {
                (void)snprintf(host, sizeof(host), "n%u.example.com", i);
                pinned += pool_pin(pool, host, 0);
        }
        assert_true(pinned > POOL_NAMES_MAX - 16);
        while (pinned < POOL_NAMES_MAX) {
                (void)snprintf(host, sizeof(host), "m%u.example.com", pinned);
                pinned += pool_pin(pool, host, 0);
        }
        assert_false(pool_add(pool, "late.example.com", &found.ipv4, &found.ipv6, 0, &found.pinned,
                &found.fresh));
        pool_unpin(pool);
        assert_true(pool_add(pool, "late.example.com", &found.ipv4, &found.ipv6, 1, &found.pinned,
                &found.fresh));
}

static void test_expiry(void **state) {
        cleanup(pool_freep) Pool *pool = pool_new();
        const Found found = add(pool, "api.example.com", 0);

        assert_non_null(pool_find(pool, &found.ipv4, POOL_IDLE_SECONDS));
        assert_non_null(
                pool_find(pool, &found.ipv4, 2 * POOL_IDLE_SECONDS)); /* that look was use */
        assert_null(pool_find(pool, &found.ipv4, 3 * POOL_IDLE_SECONDS + 1));
        assert_true(pool_pin(pool, "api.example.com", 0));
        assert_non_null(pool_find(pool, &found.ipv4, 9 * POOL_IDLE_SECONDS));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_ways),
                cmocka_unit_test(test_foreign_addresses),
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_full_of_pinned),
                cmocka_unit_test(test_expiry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
