/* SPDX-License-Identifier: Apache-2.0 */

/* The file that people follow: of bounded size, begun anew and never through a link. */
#include "sidecar/audit/recent.h"

#include "tests/helpers/folder.h"
#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t size_of(const Folder *folder, const char *name) {
        struct stat status;

        assert_int_equal(fstatat(folder->fd, name, &status, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(status.st_mode));
        return (size_t)status.st_size;
}

static void lines_are_bounded(void **state) {
        Folder folder = folder_make();
        AuditRecent recent;
        Error error;
        char line[1024];

        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 1] = '\n';
        assert_int_equal(audit_recent_open(folder.path, &recent, &error), 0);
        for (size_t i = 0; i < 3 * AUDIT_RECENT_SIZE / sizeof(line) + 1; i++)
                audit_recent_add(&recent, line, sizeof(line));
        assert_int_equal(size_of(&folder, AUDIT_RECENT_OLD_NAME), AUDIT_RECENT_SIZE);
        assert_int_equal(size_of(&folder, AUDIT_RECENT_NAME), sizeof(line));
        assert_int_equal(folder_count(&folder), 2);
        audit_recent_donep(&recent);
        folder_remove(&folder);
}

static void a_new_launcher_begins_anew(void **state) {
        Folder folder = folder_make();
        AuditRecent recent;
        Error error;

        assert_int_equal(audit_recent_open(folder.path, &recent, &error), 0);
        audit_recent_add(&recent, "one\n", 4);
        audit_recent_donep(&recent);
        assert_int_equal(audit_recent_open(folder.path, &recent, &error), 0);
        assert_int_equal(size_of(&folder, AUDIT_RECENT_NAME), 0);
        assert_int_equal(size_of(&folder, AUDIT_RECENT_OLD_NAME), 4);
        audit_recent_donep(&recent);
        folder_remove(&folder);
}

/* Somebody who may write to the directory: a link is replaced, never followed, and what was taken
 * away comes back. */
static void names_are_not_believed(void **state) {
        Folder folder = folder_make();
        AuditRecent recent;
        Error error;

        assert_int_equal(
                close(openat(folder.fd, "victim", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
        assert_int_equal(symlinkat("victim", folder.fd, AUDIT_RECENT_NAME), 0);
        assert_int_equal(audit_recent_open(folder.path, &recent, &error), 0);
        audit_recent_add(&recent, "one\n", 4);
        assert_int_equal(size_of(&folder, AUDIT_RECENT_NAME), 4);
        assert_int_equal(size_of(&folder, "victim"), 0);

        assert_int_equal(unlinkat(folder.fd, AUDIT_RECENT_NAME, 0), 0);
        assert_int_equal(symlinkat("victim", folder.fd, AUDIT_RECENT_NAME), 0);
        audit_recent_add(&recent, "two\n", 4);
        assert_int_equal(size_of(&folder, AUDIT_RECENT_NAME), 4);
        assert_int_equal(size_of(&folder, "victim"), 0);
        audit_recent_donep(&recent);
        folder_remove(&folder);
}

static void no_place(void **state) {
        AuditRecent recent = AUDIT_RECENT_NONE;
        Error error;

        assert_int_equal(audit_recent_open("/does/not/exist", &recent, &error), -1);
        assert_non_null(strstr(error.text, "/does/not/exist"));
        recent.directory = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        audit_recent_add(&recent, "one\n", 4); /* a full or read-only place costs the view alone */
        assert_int_equal(recent.file, -1);
        audit_recent_donep(&recent);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_are_bounded),
                cmocka_unit_test(a_new_launcher_begins_anew),
                cmocka_unit_test(names_are_not_believed),
                cmocka_unit_test(no_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
