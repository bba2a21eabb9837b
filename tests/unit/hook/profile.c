/* SPDX-License-Identifier: Apache-2.0 */

/* The script is run by the shells that would read it: what counts is what they make of it. */
#include "hook/profile.h"

#include "base/cleanup.h"
#include "base/proxy.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `sh` prints for the variable after the script has run, with PATH set to `before`. */
static void run_script(
        const char *script, const char *before, const char *print, char *ret_output, size_t room) {
        cleanup_free char *program = NULL;
        int pipe_fds[2], status;
        size_t size = 0;
        ssize_t n;
        pid_t child;

        assert_true(
                asprintf(&program, "set -eu\nPATH=$0\n%s\nprintf '%%s' \"%s\"", script, print) > 0);
        assert_int_equal(pipe(pipe_fds), 0);
        child = fork();
        if (child == 0) {
                (void)dup2(pipe_fds[1], STDOUT_FILENO);
                (void)dup2(pipe_fds[1], STDERR_FILENO);
                (void)close(pipe_fds[0]);
                (void)close(pipe_fds[1]);
                (void)execl("/bin/sh", "sh", "-c", program, before, NULL);
                _exit(127);
        }
        (void)close(pipe_fds[1]);
        while ((n = read(pipe_fds[0], ret_output + size, room - 1 - size)) > 0)
                size += (size_t)n;
        (void)close(pipe_fds[0]);
        ret_output[size] = '\0';
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status != 0)
                fail_msg("sh ended with %d: %s", status, ret_output);
}

static void puts_the_images_path_back(void **state) {
        static const struct {
                const char *image, *before, *expected;
        } cases[] = {
                { "/sandbox/.venv/bin:/usr/bin", "/usr/bin:/bin",
                        "/sandbox/.venv/bin:/usr/bin:/usr/bin:/bin" },
                { "/usr/bin:/bin", "/extra:/usr/bin:/bin", "/extra:/usr/bin:/bin" },
                { "/a b:$HOME:`id`:$(id):'q':\"d\"", "/bin",
                        "/a b:$HOME:`id`:$(id):'q':\"d\":/bin" },
                { "/a*[x]?", "/aZ:/bin", "/a*[x]?:/aZ:/bin" },
                { "/new\nline", "/bin", "/new\nline:/bin" },
                { "/only", "", "/only" },
        };
        char output[4096];

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                cleanup_free char *script = NULL;
                Error error = { 0 };

                assert_int_equal(profile_script(cases[i].image, NULL, &script, &error), 0);
                run_script(script, cases[i].before, "$PATH", output, sizeof(output));
                assert_string_equal(output, cases[i].expected);
        }
}

static void sets_the_proxy_and_prints_nothing(void **state) {
        static const char *const more[] = { "MORE=it's one", NULL };
        cleanup_free char *script = NULL;
        Error error = { 0 };
        char output[4096], print[64];

        assert_int_equal(profile_script(NULL, more, &script, &error), 0);
        run_script(script, "/bin", "$MORE", output, sizeof(output));
        assert_string_equal(output, "it's one");
        run_script(script, "/bin", "$PATH", output, sizeof(output));
        assert_string_equal(output, "/bin");
        for (size_t i = 0; proxy_variables[i] != NULL; i++) {
                size_t name = strcspn(proxy_variables[i], "=");

                (void)snprintf(print, sizeof(print), "$%.*s", (int)name, proxy_variables[i]);
                run_script(script, "/bin", print, output, sizeof(output));
                assert_string_equal(output, proxy_variables[i] + name + 1);
        }
}

static void writes_an_environment_file(void **state) {
        static const char *const more[] = { "SSL_CERT_FILE=/ca.pem", NULL };
        cleanup_free char *text = NULL;
        Error error = { 0 };

        assert_int_equal(profile_environment(more, &text, &error), 0);
        assert_non_null(strstr(text, "HTTPS_PROXY=http://127.0.0.1:3128\n"));
        assert_non_null(strstr(text, "\nSSL_CERT_FILE=/ca.pem\n"));
        assert_non_null(strstr(text, "no_proxy=127.0.0.1,localhost,::1\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(puts_the_images_path_back),
                cmocka_unit_test(sets_the_proxy_and_prints_nothing),
                cmocka_unit_test(writes_an_environment_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
