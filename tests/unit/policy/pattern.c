/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/pattern.h"

#include "policy/cover.h"
#include "tests/helpers/unit.h"

#include <string.h>
#include <time.h>

static void matches_paths(void **state) {
        static const struct {
                const char *pattern, *path;
                bool matches;
        } cases[] = {
                { "/usr/bin/git", "/usr/bin/git", true },
                { "/usr/bin/git", "/usr/bin/git2", false },
                { "/usr/bin/git", "/usr/bin", false },
                { "/usr/bin/*", "/usr/bin/git", true },
                { "/usr/bin/*", "/usr/bin/", true },
                { "/usr/bin/*", "/usr/bin/a/b", false },
                { "/usr/*/git", "/usr/bin/git", true },
                { "/usr/*/git", "/usr/local/bin/git", false },
                { "/usr/**/git", "/usr/local/bin/git", true },
                { "/usr/**/git", "/usr/bin/git", true },
                { "/usr/**/git", "/usr/git", false },
                { "/**", "/usr/bin/git", true },
                { "/**", "/", true },
                { "/**", "", false },
                { "/sandbox/.uv/python/**", "/sandbox/.uv/python/3.12/bin/python3", true },
                { "/sandbox/.uv/python/**", "/sandbox/.uv/pythonx", false },
                { "/opt/**/bin/python*", "/opt/a/b/bin/python3.11", true },
                { "/opt/**/bin/python*", "/opt/a/b/bin/python3/x", false },
                { "/a/*b*c", "/a/xxbyybzzc", true },
                { "/a/*b*c", "/a/xxbyyc/c", false },
                { "/a**b*c", "/ab/bxc", true },
                { "/a*/**", "/ab/c/d", true },
                { "/home/*/.local/bin/copilot", "/home/x/.local/bin/copilot", true },
                { "/home/*/.local/bin/copilot", "/home/x/y/.local/bin/copilot", false },
                { "/x/***", "/x/y/z", true },
                { "/a?c", "/abc", false }, /* a question mark is a question mark */
                { "", "", true },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (pattern_matches_path(cases[i].pattern, cases[i].path) != cases[i].matches)
                        fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
}

static void reaches_below(void **state) {
        static const struct {
                const char *pattern, *directory;
                bool reaches;
        } cases[] = {
                { "/**", "/tmp", true },
                { "/**/python", "/tmp", true },
                { "/**/python", "/a/b/c", true },
                { "/tmp/*", "/tmp", true },
                { "/tmp/*", "/tmp/a", false },
                { "/tmp/x", "/tmp", true },
                { "/tmp*", "/tmp", false },
                { "/tmp**", "/tmp", true },
                { "/tm*/x", "/tmp", true },
                { "/t*p/x", "/tmp", true },
                { "/t*q/x", "/tmp", false },
                { "/usr/**", "/tmp", false },
                { "/usr/**", "/usr/local", true },
                { "/usr/*", "/usr/local", false },
                { "/usr/**/bin/*", "/usr/local", true },
                { "/a/*b*c/d", "/a/xbyc", true },
                { "/a/*b*c/d", "/a/xby", false },
                { "/a/**b/*/d", "/a/x/b", true },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (pattern_reaches_below(cases[i].pattern, cases[i].directory) !=
                        cases[i].reaches)
                        fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].directory);
}

static double milliseconds(const struct timespec *from, const struct timespec *to) {
        return (double)(to->tv_sec - from->tv_sec) * 1e3 +
               (double)(to->tv_nsec - from->tv_nsec) / 1e6;
}

/* A pattern that makes backtracking matchers take for ever. */
static void is_never_slow(void **state) {
        char pattern[400], path[2000];
        struct timespec before, after;

        for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
                memcpy(pattern + i, i % 4 == 0 ? "*a" : "**", 3);
        memset(path, 'a', sizeof(path));
        path[0] = '/';
        memcpy(path + sizeof(path) - 2, "b", 2);
        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        assert_false(pattern_matches_path(pattern + 1, path));
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        assert_true(milliseconds(&before, &after) < 500);
}

static void judges_hosts(void **state) {
        static const struct {
                const char *text;
                HostForm form;
        } hosts[] = {
                { "a.example.com", HOST_NAME },
                { "localhost", HOST_NAME },
                { "A.EXAMPLE.com.", HOST_NAME },
                { "10.0.0.1", HOST_ADDRESS },
                { "[::1]", HOST_ADDRESS },
                { "*.a.example.com", HOST_PATTERN },
                { "", HOST_EMPTY },
                { ".", HOST_LABEL },
                { "a..b", HOST_LABEL },
                { "a.b..", HOST_LABEL },
                { "-a.b", HOST_LABEL },
                { "a b", HOST_CHARACTER },
                { "a\nb.c", HOST_CHARACTER },
                { "a.b:80", HOST_CHARACTER },
                { "user@host.example", HOST_CHARACTER },
                { "a.b/c", HOST_CHARACTER },
                { "a%2eb.c", HOST_CHARACTER },
                { "1.2.3", HOST_NUMBERS },
                { "0x7f.1", HOST_NUMBERS },
                { "a.0xff", HOST_NUMBERS },
                { "*", HOST_BARE },
                { "**", HOST_BARE },
                { "*.com", HOST_TLD },
                { "a.**.b.c", HOST_DEEP_PLACE },
                { "a.b*.c.d", HOST_PARTIAL_PLACE },
        };

        for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
                char host[HOST_SIZE] = "untouched";

                if (host_parse(hosts[i].text, host) != hosts[i].form)
                        fail_msg("'%s'", hosts[i].text);
                if (hosts[i].form > HOST_PATTERN)
                        assert_string_equal(host, "untouched");
        }
}

static void covers_hosts(void **state) {
        static const struct {
                const char *wide, *narrow;
                bool covers, meet;
        } cases[] = {
                { "a.example.com", "a.example.com", true, true },
                { "a.example.com", "b.example.com", false, false },
                { "*.example.com", "a.example.com", true, true },
                { "a.example.com", "*.example.com", false, true },
                { "*.example.com", "*.example.com", true, true },
                { "*.example.com", "a.b.example.com", false, false },
                { "*.example.com", "*-x.example.com", true, true },
                { "*-x.example.com", "*.example.com", false, true },
                { "*-x.example.com", "a-x.example.com", true, true },
                { "*-x.example.com", "a-y.example.com", false, false },
                { "**.example.com", "a.b.example.com", true, true },
                { "**.example.com", "*.example.com", true, true },
                { "**.example.com", "**.b.example.com", true, true },
                { "**.b.example.com", "**.example.com", false, true },
                { "*.example.com", "**.example.com", false, true },
                { "**.example.com", "example.com", false, false },
                { "s3.*.x.example.com", "s3.eu.x.example.com", true, true },
                { "s3.*.x.example.com", "*.eu.x.example.com", false, true },
                { "10.0.0.1", "10.0.0.1", true, true },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                if (cover_host(cases[i].wide, cases[i].narrow) != cases[i].covers)
                        fail_msg("'%s' covers '%s'?", cases[i].wide, cases[i].narrow);
                if (cover_hosts_meet(cases[i].wide, cases[i].narrow) != cases[i].meet)
                        fail_msg("'%s' meets '%s'?", cases[i].wide, cases[i].narrow);
        }
}

static void covers_programs(void **state) {
        assert_true(cover_program("/**", "/usr/bin/git"));
        assert_true(cover_program("/**", "/opt/*/x"));
        assert_true(cover_program("/usr/**", "/usr/bin/*"));
        assert_true(cover_program("/usr/bin/*", "/usr/bin/git"));
        assert_true(cover_program("/usr/bin/*", "/usr/bin/*"));
        assert_false(cover_program("/usr/bin/*", "/usr/**"));
        assert_false(cover_program("/usr/bin/git", "/usr/bin/*"));
        assert_false(cover_program("/us/**", "/usr/bin/*"));
        assert_true(pattern_may_overlap("/usr/bin/*", "/usr/**"));
        assert_false(pattern_may_overlap("/usr/bin/*", "/opt/**"));
        assert_true(pattern_may_overlap("/usr/bin/*", "/usr/bin/git"));
        assert_false(pattern_may_overlap("/usr/bin/git", "/usr/bin/curl"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(matches_paths),
                cmocka_unit_test(reaches_below),
                cmocka_unit_test(is_never_slow),
                cmocka_unit_test(judges_hosts),
                cmocka_unit_test(covers_hosts),
                cmocka_unit_test(covers_programs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
