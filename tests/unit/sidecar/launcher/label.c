/* SPDX-License-Identifier: Apache-2.0 */

/* Labels as the modules write them, in a /proc of the test's own. */
#include "sidecar/launcher/label.h"

#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPARMOR "self/attr/apparmor/current"
#define SHARED "self/attr/current"

static char directory[64];
static int proc_fd;

static int make_proc(void **state) {
        (void)strcpy(directory, "/tmp/navigator-label-XXXXXX");
        if (mkdtemp(directory) == NULL)
                return -1;
        proc_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return mkdirat(proc_fd, "self", 0755) | mkdirat(proc_fd, "self/attr", 0755) |
               mkdirat(proc_fd, "self/attr/apparmor", 0755);
}

static int remove_proc(void **state) {
        (void)unlinkat(proc_fd, APPARMOR, 0);
        (void)unlinkat(proc_fd, SHARED, 0);
        (void)unlinkat(proc_fd, "self/attr/apparmor", AT_REMOVEDIR);
        (void)unlinkat(proc_fd, "self/attr", AT_REMOVEDIR);
        (void)unlinkat(proc_fd, "self", AT_REMOVEDIR);
        (void)close(proc_fd);
        return rmdir(directory);
}

static void put(const char *path, const char *text, size_t size) {
        int fd;

        (void)unlinkat(proc_fd, path, 0);
        if (text == NULL)
                return;
        fd = openat(proc_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(write(fd, text, size), size);
        (void)close(fd);
}

static void differences(void **state) {
        static const struct {
                const char *apparmor_file, *shared_file; /* NULL: the module is not there */
                const char *apparmor, *selinux;          /* of the record */
                const char *said;                        /* a word of it, or "" */
        } cases[] = {
                { NULL, NULL, "", "", "" },
                { NULL, NULL, "containers-default", "", "" },
                { NULL, NULL, "", "system_u:object_r:container_t:s0:c1", "" },
                { "containers-default (enforce)\n", NULL, "containers-default", "", "" },
                { "containers-default (complain)\n", NULL, "containers-default", "", "" },
                { "containers-default (enforce)\n", NULL, "other", "", "AppArmor" },
                { "unconfined\n", NULL, "containers-default", "", "AppArmor" },
                { "containers-default (enforce)\n", NULL, "", "", "" },
                { NULL, "containers-default (enforce)\n", "other", "", "AppArmor" },
                { NULL, "u:r:t:s0:c1", "", "u:r:t:s0:c1", "" },
                { NULL, "u:r:t:s0:c1", "", "u:r:t:s0:c2", "SELinux" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const Record record = { .apparmor = cases[i].apparmor,
                        .selinux = cases[i].selinux };
                const char *got;

                put(APPARMOR, cases[i].apparmor_file,
                        cases[i].apparmor_file != NULL ? strlen(cases[i].apparmor_file) : 0);
                put(SHARED, cases[i].shared_file, /* SELinux writes its NUL too */
                        cases[i].shared_file != NULL ? strlen(cases[i].shared_file) + 1 : 0);
                got = label_difference(proc_fd, &record);
                if (cases[i].said[0] == '\0' ? got[0] != '\0' : strstr(got, cases[i].said) == NULL)
                        fail_msg("case %zu: '%s'", i, got);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(differences) };

        return cmocka_run_group_tests(tests, make_proc, remove_proc);
}
