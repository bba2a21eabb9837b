/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/cgroup.h"

#include "tests/helpers/unit.h"

#include <stdlib.h>
#include <string.h>

static uint32_t match(const char *container, const char *own, const char *mounts, Cgroup *cgroups) {
        uint32_t count = 99;
        Error error = { 0 };

        if (cgroups_match(container, own, mounts, cgroups, &count, &error) < 0)
                fail_msg("%s", error.text);
        return count;
}

static void expect(const Cgroup *cgroup, const char *name, const char *mount, const char *path) {
        assert_string_equal(cgroup->name, name);
        assert_string_equal(cgroup->mount, mount);
        assert_string_equal(cgroup->path, path);
}

static void version_2(void **state) {
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));

        assert_int_equal(match("0::/kubepods/pod1/c1\n", "0::/system.slice/containerd.service\n",
                                 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 "
                                 "rw,nsdelegate\n",
                                 cgroups),
                1);
        expect(&cgroups[0], "", "/sys/fs/cgroup", "kubepods/pod1/c1");
}

static void version_1_and_hybrid(void **state) {
        static const char mounts[] =
                "22 1 0:21 / /proc rw - proc proc rw\n"
                "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup "
                "rw,cpu,cpuacct\n"
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:1 master:2 - cgroup cgroup "
                "rw,memory\n"
                "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup "
                "rw,xattr,name=systemd\n"
                "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        static const char container[] = "12:memory:/p/c1\n"
                                        "5:cpu,cpuacct:/p/c1\n"
                                        "4:pids:/p/c1\n" /* not mounted on this node */
                                        "1:name=systemd:/p/c1\n"
                                        "0::/service\n"; /* where the runtime left it */
        static const char own[] =
                "12:memory:/\n5:cpu,cpuacct:/\n4:pids:/\n1:name=systemd:/\n0::/service\n";
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));

        assert_int_equal(match(container, own, mounts, cgroups), 3);
        expect(&cgroups[0], "memory", "/sys/fs/cgroup/memory", "p/c1");
        expect(&cgroups[1], "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "p/c1");
        expect(&cgroups[2], "name=systemd", "/sys/fs/cgroup/systemd", "p/c1");
}

static void never_the_root_of_a_hierarchy(void **state) {
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));

        assert_int_equal(
                match("0::/\n", "0::/x\n", "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n", cgroups),
                0);
        assert_int_equal(
                match("0::/a\n", "0::/x\n", "30 23 0:26 /a /c rw - cgroup2 cgroup2 rw\n", cgroups),
                0);
}

/* A node that is itself a container sees a part of the hierarchy. */
static void takes_off_what_a_mount_does_not_show(void **state) {
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));
        static const char mounts[] = "30 23 0:26 /docker/n1 /c rw - cgroup2 cgroup2 rw\n";

        assert_int_equal(match("0::/docker/n1/p/c1\n", "0::/docker/n1/x\n", mounts, cgroups), 1);
        expect(&cgroups[0], "", "/c", "p/c1");
        assert_int_equal(match("0::/docker/n10/c1\n", "0::/x\n", mounts, cgroups), 0);
        assert_int_equal(match("0::/other\n", "0::/x\n", mounts, cgroups), 0);
}

static void malformed_mounts_serve_nothing(void **state) {
        static const char *const mounts[] = {
                "",
                "\n",
                "30\n",
                "30 23 0:26 / /c rw\n",
                "30 23 0:26 / /c rw -\n",
                "30 23 0:26 / /c rw - cgroup2\n",
                "30 23 0:26 / /c rw - cgroup2 cgroup2\n",
                "30 23 0:26 / /c\\040d rw - cgroup2 cgroup2 rw\n",
                "30 23 0:26 / /c rw - tmpfs cgroup2 rw\n",
                "30 23 0:26 / /c rw shared:1",
        };
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));

        for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
                assert_int_equal(match("0::/c1\n", "0::/x\n", mounts[i], cgroups), 0);
}

static void a_controller_is_matched_whole(void **state) {
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));

        assert_int_equal(match("2:cpu:/c1\n", "",
                                 "1 1 0:1 / /a rw - cgroup cgroup rw,cpuset\n2 1 0:2 / /b rw - "
                                 "cgroup cgroup rw,cpu\n",
                                 cgroups),
                1);
        expect(&cgroups[0], "cpu", "/b", "c1");
}

static void refuses_malformed_cgroups(void **state) {
        static const char *const texts[] = { "memory\n", "1:memory\n", "1:memory:relative\n",
                "::\n" };
        cleanup_free Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));
        char many[1024] = "";
        uint32_t count;
        Error error = { 0 };

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                assert_int_equal(cgroups_match(texts[i], "", "", cgroups, &count, &error), -1);
        for (size_t i = 0; i <= RECORD_CGROUPS_MAX; i++)
                memcpy(many + strlen(many), "0::/c1\n", 8);
        assert_int_equal(cgroups_match(many, "", "1 1 0:1 / /a rw - cgroup2 cgroup2 rw\n", cgroups,
                                 &count, &error),
                -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(version_2),
                cmocka_unit_test(version_1_and_hybrid),
                cmocka_unit_test(never_the_root_of_a_hierarchy),
                cmocka_unit_test(takes_off_what_a_mount_does_not_show),
                cmocka_unit_test(malformed_mounts_serve_nothing),
                cmocka_unit_test(a_controller_is_matched_whole),
                cmocka_unit_test(refuses_malformed_cgroups),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
