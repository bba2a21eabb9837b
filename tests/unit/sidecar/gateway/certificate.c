/* SPDX-License-Identifier: Apache-2.0 */

/* A certificate of our own is one that our own TLS takes, and another each time. */
#include "sidecar/gateway/certificate.h"

#include "base/cleanup.h"
#include "http/tls.h"
#include "tests/helpers/unit.h"

#include <string.h>

static void tls_takes_it(void **state) {
        cleanup_free char *certificate = NULL;
        cleanup_free char *key = NULL;
        cleanup(tls_freep) Tls *tls = NULL;
        size_t certificate_size, key_size;
        Error error = { 0 };

        assert_int_equal(certificate_make("agent-1", &certificate, &certificate_size, &key,
                                 &key_size, &error),
                0);
        assert_int_equal(certificate_size, strlen(certificate));
        assert_int_equal(tls_new(certificate, certificate_size, key, key_size, &tls, &error), 0);
}

static void each_has_a_key_of_its_own(void **state) {
        char *certificates[2], *keys[2];
        size_t size;
        Error error = { 0 };

        for (size_t i = 0; i < 2; i++)
                assert_int_equal(
                        certificate_make("a", &certificates[i], &size, &keys[i], &size, &error), 0);
        assert_string_not_equal(keys[0], keys[1]);
        assert_string_not_equal(certificates[0], certificates[1]);
        for (size_t i = 0; i < 2; i++) {
                free(certificates[i]);
                free(keys[i]);
        }
}

/* The name comes from the environment: it must not add names of its own. */
static void a_name_that_is_none_is_refused(void **state) {
        char *certificate = NULL, *key = NULL;
        size_t size;
        Error error = { 0 };

        assert_int_equal(
                certificate_make("a,IP:10.0.0.1", &certificate, &size, &key, &size, &error), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tls_takes_it),
                cmocka_unit_test(each_has_a_key_of_its_own),
                cmocka_unit_test(a_name_that_is_none_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
