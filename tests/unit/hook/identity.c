/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/identity.h"

#include "tests/helpers/unit.h"

#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((PasswdText){ .text = (literal), .size = sizeof(literal) - 1 })
#define NEW_ID 64750

static IdentityWish wish(
        const char *user, const char *group, PasswdText passwd, PasswdText groups) {
        return (IdentityWish){ .user = user,
                .group = group,
                .passwd = passwd,
                .groups = groups,
                .new_uid = NEW_ID,
                .new_gid = NEW_ID };
}

static Identity resolve(IdentityWish wanted, Packer *result) {
        Identity identity;
        Unpacker fields;
        Error error = { 0 };

        *result = packer_growing(65536);
        if (identity_resolve(&wanted, result, &error) < 0)
                fail_msg("%s", error.text);
        fields = unpacker(result->data, result->size);
        identity_unpack(&fields, &identity);
        assert_true(unpack_end(&fields));
        return identity;
}

static void takes_the_images_own_user(void **state) {
        Packer result;
        Identity identity = resolve(
                wish("sandbox", "sandbox", TEXT("sandbox:x:1000:1000::/home/sandbox:/bin/bash\n"),
                        TEXT("root:x:0:sandbox\nsandbox:x:1000:sandbox\nvideo:x:44:sandbox\n")),
                &result);

        assert_int_equal(identity.record.uid, 1000);
        assert_int_equal(identity.record.gid, 1000);
        assert_int_equal(identity.record.group_count,
                1); /* neither root's group nor the primary one again */
        assert_int_equal(identity.record.groups[0], 44);
        assert_string_equal(identity.record.name, "sandbox");
        assert_string_equal(identity.record.home, "/home/sandbox");
        assert_string_equal(identity.record.shell, "/bin/bash");
        assert_false(identity.add_user);
        assert_false(identity.add_group);
        packer_done(&result);
}

static void adds_the_user_to_a_stock_image(void **state) {
        Packer result;
        Identity identity = resolve(wish("sandbox", "sandbox", TEXT("root:x:0:0::/root:/bin/sh\n"),
                                            TEXT("root:x:0:\n")),
                &result);

        assert_int_equal(identity.record.uid, NEW_ID);
        assert_int_equal(identity.record.gid, NEW_ID);
        assert_string_equal(identity.record.home, "/sandbox");
        assert_string_equal(identity.record.shell, "/bin/sh");
        assert_true(identity.add_user);
        assert_true(identity.add_group);
        packer_done(&result);

        identity = resolve(wish("sandbox", "sandbox", TEXT(""), TEXT("")), &result);
        assert_true(identity.add_user);
        packer_done(&result);

        /* a group of that name is used as it is */
        identity = resolve(wish("sandbox", "sandbox", TEXT(""), TEXT("sandbox:x:500:\n")), &result);
        assert_int_equal(identity.record.gid, 500);
        assert_true(identity.add_user);
        assert_false(identity.add_group);
        packer_done(&result);

        /* a user that was made with another primary group */
        identity = resolve(wish("sandbox", "sandbox", TEXT("sandbox:x:1000:100::/s:/bin/sh\n"),
                                   TEXT("users:x:100:\n")),
                &result);
        assert_int_equal(identity.record.gid, 100);
        assert_false(identity.add_group);
        packer_done(&result);
}

static void takes_numbers(void **state) {
        Packer result;
        Identity identity =
                resolve(wish("1234", "4321", TEXT("app:x:7:7::/app:/bin/sh\n"), TEXT("")), &result);

        assert_int_equal(identity.record.uid, 1234);
        assert_int_equal(identity.record.gid, 4321);
        assert_string_equal(identity.record.name, "1234");
        assert_string_equal(identity.record.home, "/sandbox");
        assert_string_equal(identity.record.shell, "");
        assert_false(identity.add_user);
        packer_done(&result);

        identity =
                resolve(wish("7", "7", TEXT("app:x:7:7::/app:/sbin/nologin\n"), TEXT("")), &result);
        assert_string_equal(identity.record.name, "app");
        assert_string_equal(identity.record.home, "/app");
        assert_string_equal(identity.record.shell, "");
        packer_done(&result);
}

static void refuses(void **state) {
        static const struct {
                const char *user, *group, *passwd, *groups;
                const char *expected;
        } cases[] = {
                { "sandbox", "sandbox", "sandbox:x:0:5::/:/bin/sh\n", "sandbox:x:5:\n",
                        "is uid 0" },
                { "sandbox", "sandbox", "sandbox:x:5:5::/:/bin/sh\n", "sandbox:x:0:\n",
                        "is gid 0" },
                { "sandbox", "sandbox", "sandbox:x:5:0::/:/bin/sh\n", "", "is gid 0" },
                { "alice", "sandbox", "", "", "run_as_user 'alice' is not in" },
                { "sandbox", "wheel", "", "", "run_as_group 'wheel' is not in" },
                { "sandbox", "sandbox", "taken:x:64750:1::/:/bin/sh\n", "",
                        "uses uid 64750 for 'taken'" },
                { "sandbox", "sandbox", "", "taken:x:64750:\n", "uses gid 64750" },
                /* the launcher's uid, by the image's choice and by the policy's */
                { "sandbox", "sandbox", "sandbox:x:64700:64700::/:/bin/sh\n", "sandbox:x:5:\n",
                        "the uid of run_as_user is 64700" },
                { "64702", "5", "", "", "the uid of run_as_user is 64702" },
                { "sandbox", "sandbox", "sandbox:x:5:64701::/:/bin/sh\n", "",
                        "the gid of run_as_group is 64701" },
                { "5", "64702", "", "", "the gid of run_as_group is 64702" },
                { "sandbox", "5", "sandbox:x:5:5::/:/bin/sh\n", "g:x:64700:sandbox\n",
                        "a group of run_as_user is 64700" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const IdentityWish wanted = wish(cases[i].user, cases[i].group,
                        (PasswdText){ cases[i].passwd, strlen(cases[i].passwd) },
                        (PasswdText){ cases[i].groups, strlen(cases[i].groups) });
                Packer result = packer_growing(65536);
                Error error = { 0 };

                if (identity_resolve(&wanted, &result, &error) != -1)
                        fail_msg("case %zu was accepted", i);
                if (strstr(error.text, cases[i].expected) == NULL)
                        fail_msg("'%s' does not say '%s'", error.text, cases[i].expected);
                packer_done(&result);
        }
}

static void bounds_the_groups(void **state) {
        char groups[8192];
        size_t size = 0;
        Packer result = packer_growing(65536);
        Error error = { 0 };
        IdentityWish wanted;

        for (unsigned i = 1; i <= RECORD_GROUPS_MAX + 1; i++)
                size += (size_t)snprintf(
                        groups + size, sizeof(groups) - size, "g%u:x:%u:sandbox\n", i, 100 + i);
        wanted = wish(
                "sandbox", "5", TEXT("sandbox:x:5:5::/:/bin/sh\n"), (PasswdText){ groups, size });
        assert_int_equal(identity_resolve(&wanted, &result, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        packer_done(&result);
}

/* Whatever a jailed parser was talked into: the reader keeps the rule. */
static void reads_nobody_forbidden(void **state) {
        static const uint32_t ids[][3] = { { 0, 5, 6 }, { 5, 0, 6 }, { 5, 6, 0 }, { 64700, 5, 6 },
                { 5, 64701, 6 }, { 5, 6, 64702 } };

        for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
                Packer result = packer_growing(4096);
                Identity identity;
                Unpacker fields;

                pack_u8(&result, 0);
                pack_u8(&result, 0);
                pack_u32(&result, ids[i][0]);
                pack_u32(&result, ids[i][1]);
                pack_u32(&result, 1);
                pack_u32(&result, ids[i][2]);
                pack_string(&result, "name");
                pack_string(&result, "/");
                pack_string(&result, "");
                fields = unpacker(result.data, result.size);
                identity_unpack(&fields, &identity);
                assert_false(unpack_end(&fields));
                packer_done(&result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_the_images_own_user),
                cmocka_unit_test(adds_the_user_to_a_stock_image),
                cmocka_unit_test(takes_numbers),
                cmocka_unit_test(refuses),
                cmocka_unit_test(bounds_the_groups),
                cmocka_unit_test(reads_nobody_forbidden),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
