/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/passwd.h"

#include "tests/helpers/unit.h"

#include <string.h>

#define TEXT(literal) ((PasswdText){ .text = (literal), .size = sizeof(literal) - 1 })

static void finds_users(void **state) {
        const PasswdText text = TEXT("root:x:0:0:root:/root:/bin/bash\n"
                                     "sandbox:x:1000:1001:Sand Box,,,:/sandbox:/bin/zsh\n"
                                     "sandbox:x:7:7::/second:/bin/sh\n"
                                     "daemon:x:1:1::/:/usr/sbin/nologin\n"
                                     "last:x:5:5:::"); /* no newline at the end */
        PasswdEntry entry;

        assert_true(passwd_find_name(text, "sandbox", &entry));
        assert_int_equal(entry.uid, 1000);
        assert_int_equal(entry.gid, 1001);
        assert_string_equal(entry.home, "/sandbox");
        assert_string_equal(entry.shell, "/bin/zsh");
        assert_true(passwd_find_uid(text, 7, &entry));
        assert_string_equal(entry.home, "/second");
        assert_true(passwd_find_name(text, "daemon", &entry));
        assert_string_equal(entry.shell, "");
        assert_true(passwd_find_name(text, "last", &entry));
        assert_string_equal(entry.home, "");
        assert_string_equal(entry.shell, "");
        assert_false(passwd_find_name(text, "sand", &entry));
        assert_false(passwd_find_uid(text, 1001, &entry));
}

static void a_malformed_line_is_no_line(void **state) {
        static const struct {
                const char *line;
                size_t size;
        } lines[] = {
#define LINE(literal) { literal, sizeof(literal) - 1 }
                LINE("sandbox"),
                LINE("sandbox:x:5:5:g:/h"),
                LINE("sandbox:x:5:5:g:/h:/s:more"),
                LINE("sandbox:x::5:g:/h:/s"),
                LINE("sandbox:x:-1:5:g:/h:/s"),
                LINE("sandbox:x:+5:5:g:/h:/s"),
                LINE("sandbox:x: 5:5:g:/h:/s"),
                LINE("sandbox:x:05:5:g:/h:/s"),
                LINE("sandbox:x:0x5:5:g:/h:/s"),
                LINE("sandbox:x:4294967295:5:g:/h:/s"),
                LINE("sandbox:x:99999999999999999999:5:g:/h:/s"),
                LINE("sandbox:x:5:4294967296:g:/h:/s"),
                LINE("sandbox:x:5:5:g:/h\t:/s"),
                LINE("sandbox:x:5:5:g:/h:/s\r"),
                LINE("sandbox:x:5:5:g\0:/h:/s"),
                LINE("#sandbox:x:5:5:g:/h:/s"),
                LINE("+sandbox:x:5:5:g:/h:/s"),
                LINE("-sandbox:x:5:5:g:/h:/s"),
                LINE(":x:5:5:g:/h:/s"),
                LINE(""),
                LINE("\0"),
#undef LINE
        };
        PasswdEntry entry;

        for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
                const PasswdText text = { .text = lines[i].line, .size = lines[i].size };

                if (passwd_find_name(text, "sandbox", &entry) || passwd_find_uid(text, 5, &entry))
                        fail_msg("accepted: %s", lines[i].line);
        }
        assert_false(passwd_find_name((PasswdText){ .text = NULL, .size = 0 }, "sandbox", &entry));
}

static void bounds_every_field(void **state) {
        char line[8192];
        PasswdEntry entry;
        size_t size;

        memset(line, 'n', sizeof(line));
        memcpy(line + 256, ":x:5:5::/h:/s\n", 14);
        assert_true(passwd_find_uid((PasswdText){ .text = line, .size = 270 }, 5, &entry));
        assert_int_equal(strlen(entry.name), 256);
        memcpy(line + 257, ":x:5:5::/h:/s\n", 14);
        line[256] = 'n';
        assert_false(passwd_find_uid((PasswdText){ .text = line, .size = 271 }, 5, &entry));

        size = 9;
        memcpy(line, "u:x:5:5::", size);
        memset(line + size, '/', 2000);
        memcpy(line + size + 2000, ":/s", 3);
        assert_true(
                passwd_find_name((PasswdText){ .text = line, .size = size + 2003 }, "u", &entry));
        assert_string_equal(entry.home, "");
        assert_string_equal(entry.shell, "/s");
}

static void only_absolute_homes_and_shells(void **state) {
        PasswdEntry entry;

        assert_true(passwd_find_name(TEXT("u:x:5:5::home:bash\n"), "u", &entry));
        assert_string_equal(entry.home, "");
        assert_string_equal(entry.shell, "");
        assert_true(passwd_find_name(TEXT("u:x:5:5::/:/bin/false\n"), "u", &entry));
        assert_string_equal(entry.home, "/");
        assert_string_equal(entry.shell, "");
        assert_true(passwd_find_name(TEXT("u:x:5:5::/:/bin/falsehood\n"), "u", &entry));
        assert_string_equal(entry.shell, "/bin/falsehood");
}

static void finds_groups_and_members(void **state) {
        const PasswdText text = TEXT("root:x:0:\n"
                                     "disk:x:6:other,sandbox\n"
                                     "sandbox:x:1000:\n"
                                     "wide:x:9:sandboxes,xsandbox\n"
                                     "bad:x:08:sandbox\n"
                                     "last:x:7:sandbox");
        uint32_t gid = 0, gids[4] = { 0 };

        assert_true(group_find_name(text, "sandbox", &gid));
        assert_int_equal(gid, 1000);
        assert_false(group_find_name(text, "bad", &gid));
        assert_true(group_find_gid(text, 6));
        assert_false(group_find_gid(text, 8));
        assert_int_equal(group_memberships(text, "sandbox", gids, 4), 2);
        assert_int_equal(gids[0], 6);
        assert_int_equal(gids[1], 7);
        assert_int_equal(group_memberships(text, "sandbox", gids, 1), 2);
        assert_int_equal(group_memberships(text, "nobody", gids, 4), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_users),
                cmocka_unit_test(a_malformed_line_is_no_line),
                cmocka_unit_test(bounds_every_field),
                cmocka_unit_test(only_absolute_homes_and_shells),
                cmocka_unit_test(finds_groups_and_members),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
