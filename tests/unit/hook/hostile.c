/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/hostile.h"

#include "base/cleanup.h"
#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LIMIT 16U

typedef struct Folder {
        char path[32];
        int fd, proc;
} Folder;

static int make_folder(void **state) {
        static Folder folder;

        folder = (Folder){ .path = "/tmp/navigator-hostile-XXXXXX" };
        if (mkdtemp(folder.path) == NULL)
                return -1;
        folder.fd = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        folder.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        *state = &folder;
        return 0;
}

static int remove_folder(void **state) {
        static const char *const names[] = { "file", "long", "link", "out", "magic", "fifo",
                "folder/file", "cycle" };
        Folder *folder = *state;

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                (void)unlinkat(folder->fd, names[i], 0);
        (void)unlinkat(folder->fd, "folder", AT_REMOVEDIR);
        (void)close(folder->fd);
        (void)close(folder->proc);
        return rmdir(folder->path);
}

static void put(const Folder *folder, const char *name, const char *text) {
        int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        assert_int_equal(close(fd), 0);
}

static int read_it(const Folder *folder, const char *path, char *ret_text, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;
        int r = hostile_read(folder->proc, folder->fd, path, INSIDE, LIMIT, &text, &size, error);

        if (r == 0)
                memcpy(ret_text, text, size + 1);
        return r;
}

static void reads_inside(void **state) {
        const Folder *folder = *state;
        char text[LIMIT + 1];
        Error error = { 0 };

        assert_int_equal(mkdirat(folder->fd, "folder", 0700), 0);
        put(folder, "folder/file", "inside");
        assert_int_equal(symlinkat("/folder/file", folder->fd, "link"), 0);
        assert_int_equal(read_it(folder, "folder/file", text, &error), 0);
        assert_string_equal(text, "inside");
        assert_int_equal(read_it(folder, "/link", text, &error), 0);
        assert_string_equal(text, "inside");
        assert_int_equal(read_it(folder, "../../../folder/file", text, &error), 0);
}

static void never_leaves(void **state) {
        const Folder *folder = *state;
        char text[LIMIT + 1];
        Error error = { 0 };

        assert_int_equal(symlinkat("/etc/passwd", folder->fd, "out"), 0);
        assert_int_equal(read_it(folder, "out", text, &error), HOSTILE_MISSING);
        assert_int_equal(read_it(folder, "nothing", text, &error), HOSTILE_MISSING);
        assert_int_equal(symlinkat("cycle", folder->fd, "cycle"), 0);
        assert_int_equal(read_it(folder, "cycle", text, &error), -1);
        assert_int_equal(error.code, ELOOP);
}

static void refuses_what_is_no_file(void **state) {
        const Folder *folder = *state;
        static const char *const names[] = { "fifo", "folder" };
        char text[LIMIT + 1];

        assert_int_equal(mkfifoat(folder->fd, "fifo", 0600), 0);
        assert_int_equal(mkdirat(folder->fd, "folder", 0700), 0);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                Error error = { 0 };

                assert_int_equal(read_it(folder, names[i], text, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                assert_non_null(strstr(error.text, "is not a regular file"));
        }
}

/* To stat(2) regular files, every one; a read asks the kernel. */
static void refuses_what_the_kernel_answers(void **state) {
        const Folder *folder = *state;
        static const struct {
                const char *root, *path;
        } cases[] = {
                { "/proc", "kmsg" },
                { "/proc", "self/status" },
                { "/sys", "kernel/uevent_seqnum" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                cleanup_fd int root = open(cases[i].root, O_PATH | O_DIRECTORY | O_CLOEXEC);
                cleanup_free char *text = NULL;
                Error error = { 0 };
                size_t size;

                assert_true(root >= 0);
                assert_int_equal(hostile_read(folder->proc, root, cases[i].path, INSIDE, LIMIT,
                                         &text, &size, &error),
                        -1);
                assert_int_equal(error.kind, ERROR_DENIED);
                assert_non_null(strstr(error.text, "keeps no files"));
        }
}

static void bounds_the_size(void **state) {
        const Folder *folder = *state;
        char text[LIMIT + 1];
        Error error = { 0 };

        put(folder, "file", "sixteen bytes...");
        assert_int_equal(read_it(folder, "file", text, &error), 0);
        put(folder, "long", "seventeen bytes..");
        assert_int_equal(read_it(folder, "long", text, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(reads_inside, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(never_leaves, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(
                        refuses_what_is_no_file, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(
                        refuses_what_the_kernel_answers, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(bounds_the_size, make_folder, remove_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
