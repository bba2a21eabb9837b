/* SPDX-License-Identifier: Apache-2.0 */

#include "base/file.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "tests/helpers/folder.h"

#include <errno.h>
#include <sys/stat.h>

static void reads_what_was_written(void **state) {
        Folder folder = folder_make();
        char *text = NULL;
        size_t size = 0;
        struct stat status;

        assert_int_equal(file_write_atomic(folder.fd, "a", "x\0y", 3, 0640, NULL), 0);
        assert_int_equal(file_read(folder.fd, "a", 100, &text, &size, NULL), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(text, "x\0y", 4); /* with a NUL behind */
        free(text);
        assert_int_equal(fstatat(folder.fd, "a", &status, 0), 0);
        assert_int_equal(status.st_mode & 0777 & ~0640U, 0);
        folder_remove(&folder);
}

static void replaces_in_one_step(void **state) {
        Folder folder = folder_make();
        cleanup_fd int old = -1;
        char byte;

        assert_int_equal(file_write_atomic(folder.fd, "a", "1", 1, 0600, NULL), 0);
        old = openat(folder.fd, "a", O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_write_atomic(folder.fd, "a", "2", 1, 0600, NULL), 0);
        assert_int_equal(read(old, &byte, 1), 1);
        assert_int_equal(byte, '1'); /* who had it open still has the old one, whole */
        assert_int_equal(folder_count(&folder), 1);
        folder_remove(&folder);
}

static void leaves_nothing_of_a_failure(void **state) {
        Folder folder = folder_make();
        Error error = { 0 };

        assert_int_equal(mkdirat(folder.fd, "a", 0700), 0);
        assert_int_equal(file_write_atomic(folder.fd, "a", "x", 1, 0600, &error), -1);
        assert_int_equal(error.code, EISDIR);
        assert_int_equal(folder_count(&folder), 1);
        assert_int_equal(unlinkat(folder.fd, "a", AT_REMOVEDIR), 0);
        folder_remove(&folder);
}

static void keeps_its_limit(void **state) {
        Folder folder = folder_make();
        static char large[70000];
        char *text = NULL;
        size_t size = 0;
        Error error = { 0 };

        assert_int_equal(file_write_atomic(folder.fd, "a", large, sizeof(large), 0600, NULL), 0);
        assert_int_equal(file_read(folder.fd, "a", sizeof(large) - 1, &text, &size, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_string_equal(error.text, "'a' is larger than 69999 bytes");
        assert_int_equal(file_read(folder.fd, "a", sizeof(large), &text, &size, &error), 0);
        assert_int_equal(size, sizeof(large));
        free(text);
        folder_remove(&folder);
}

static void reads_regular_files_only(void **state) {
        Folder folder = folder_make();
        char *text = NULL;
        size_t size = 0;
        Error error = { 0 };

        assert_int_equal(mkfifoat(folder.fd, "fifo", 0600), 0);
        assert_int_equal(file_read(folder.fd, "fifo", 100, &text, &size, &error),
                -1); /* and does not wait */
        assert_string_equal(error.text, "'fifo' is not a regular file");
        assert_int_equal(file_read(folder.fd, ".", 100, &text, &size, &error), -1);
        assert_int_equal(file_read(folder.fd, "missing", 100, &text, &size, &error), -1);
        assert_int_equal(error.code, ENOENT);
        assert_null(text);
        folder_remove(&folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_what_was_written),
                cmocka_unit_test(replaces_in_one_step),
                cmocka_unit_test(leaves_nothing_of_a_failure),
                cmocka_unit_test(keeps_its_limit),
                cmocka_unit_test(reads_regular_files_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
