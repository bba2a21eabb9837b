/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/query.h"

#include "tests/helpers/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct {
        const char *text;
        const char *pairs[8]; /* key, value, ...; ended by NULL */
} good[] = {
        { "", { NULL } },
        { "&&", { NULL } },
        { "a=b", { "a", "b" } },
        { "a=b&a=c", { "a", "b", "a", "c" } },
        { "a", { "a", "" } },
        { "a=", { "a", "" } },
        { "=b", { "", "b" } },
        { "a=b=c", { "a", "b=c" } },
        { "a=b+c%20d%2Be", { "a", "b c d+e" } },
        { "%61%3d=%26%c3%BC", { "a=", "&\xc3\xbc" } },
        { "a=%0a%01%ff", { "a", "\n\x01\xff" } },
        { "a=b;c=d", { "a", "b;c=d" } },
};

static void test_good(void **state) {
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                Query query;
                Error error;
                size_t count = 0;

                assert_int_equal(query_parse(good[i].text, &query, &error), 0);
                for (; good[i].pairs[2 * count] != NULL; count++) {
                        assert_string_equal(query.pairs[count].key, good[i].pairs[2 * count]);
                        assert_string_equal(query.pairs[count].value, good[i].pairs[2 * count + 1]);
                }
                assert_int_equal(query.count, count);
                query_done(&query);
        }
}

static void test_bad(void **state) {
        static const char *const bad[] = { "%", "a=%", "a=%4", "a=%4g", "a=%g4", "a=%00", "%00=a",
                "a=b%2", "a=%-1" };

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                Query query;
                Error error = { 0 };

                assert_int_equal(query_parse(bad[i], &query, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
        }
}

static void test_too_many(void **state) {
        static char text[2 * QUERY_PAIRS_MAX + 2];
        Query query;
        Error error = { 0 };

        for (size_t i = 0; i < QUERY_PAIRS_MAX; i++)
                memcpy(text + 2 * i, "a&", 2);
        assert_int_equal(query_parse(text, &query, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        text[2 * QUERY_PAIRS_MAX - 1] = '\0';
        assert_int_equal(query_parse(text, &query, &error), 0);
        assert_int_equal(query.count, QUERY_PAIRS_MAX);
        query_done(&query);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
