/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/authorities.h"

#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"

/* What comes of a file with this text; NULL: of no file. */
static int read_file(const char *text, Authorities *ret_authorities, Error *error) {
        char path[] = "/tmp/navigator-authorities-XXXXXX";
        const Node node = { .authorities = path };
        const int fd = mkstemp(path);
        int r;

        assert_true(fd >= 0);
        if (text != NULL)
                assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        else
                assert_int_equal(unlink(path), 0);
        (void)close(fd);
        r = authorities_read(&node, ret_authorities, error);
        (void)unlink(path);
        return r;
}

static void a_node_may_have_none(void **state) {
        cleanup(authorities_freep) Authorities authorities = { 0 };
        Error error = { 0 };

        assert_int_equal(read_file(NULL, &authorities, &error), 0);
        assert_null(authorities.own);
        assert_int_equal(authorities_extend(&authorities, NULL, NULL, &error), 0);
        assert_null(authorities.bundle);
}

static void refuses_what_is_none(void **state) {
        cleanup(authorities_freep) Authorities authorities = { 0 };
        Error error = { 0 };

        assert_int_equal(read_file("-----BEGIN PRIVATE KEY-----\n", &authorities, &error), -1);
        assert_non_null(strstr(error.text, "has no certificate in PEM"));
        assert_null(authorities.own);
}

static void joins_behind_the_images(void **state) {
        static const struct {
                const char *image, *bundle;
        } cases[] = {
                { "image\n", "image\n" CERTIFICATE },
                { "no line end", "no line end\n" CERTIFICATE },
                { "", CERTIFICATE },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                cleanup(authorities_freep) Authorities authorities = { 0 };
                Error error = { 0 };

                assert_int_equal(read_file(CERTIFICATE, &authorities, &error), 0);
                assert_int_equal(authorities_join(&authorities, cases[i].image,
                                         strlen(cases[i].image), &error),
                        0);
                assert_int_equal(authorities.bundle_size, strlen(cases[i].bundle));
                assert_memory_equal(authorities.bundle, cases[i].bundle, strlen(cases[i].bundle));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_node_may_have_none),
                cmocka_unit_test(refuses_what_is_none),
                cmocka_unit_test(joins_behind_the_images),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
