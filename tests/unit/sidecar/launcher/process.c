/* SPDX-License-Identifier: Apache-2.0 */

/* Reads of a /proc that the test wrote, with the names a hostile program can give itself. */
#include "sidecar/launcher/process.h"

#include "base/syscalls.h"
#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAIL " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 8 9\n" /* fields 5 to 24 */

static int status_of(const char *text, ProcessStatus *ret_status) {
        char directory[] = "/tmp/navigator-process-XXXXXX", path[64];
        int proc_fd, fd, r;

        assert_non_null(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/7", directory);
        assert_int_equal(mkdir(path, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/7/stat", directory);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        (void)close(fd);
        proc_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = process_status(proc_fd, 7, ret_status);
        (void)close(proc_fd);
        (void)unlink(path);
        (void)snprintf(path, sizeof(path), "%s/7", directory);
        (void)rmdir(path);
        (void)rmdir(directory);
        return r;
}

static void fields_are_counted_from_the_name(void **state) {
        static const char *const names[] = { "cat", "a b", ") R 1 2 3", "((", "))", ") Z 999 1 1",
                "\n", "" };
        ProcessStatus status;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char text[256];

                (void)snprintf(text, sizeof(text), "7 (%s) S 42" TAIL, names[i]);
                assert_int_equal(status_of(text, &status), 0);
                assert_int_equal(status.parent, 42);
                assert_int_equal(status.state, 'S');
                assert_int_equal(status.start_time, 4711);
        }
}

static void what_is_no_stat_line(void **state) {
        static const char *const texts[] = { "", "7", "7 (x)", "7 (x) ", "7 (x) S",
                "7 (x) S 1 2 3\n", "7 (x) S -1" TAIL, "7 x S 1" TAIL };
        ProcessStatus status;

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                assert_int_equal(status_of(texts[i], &status), -EBADMSG);
        assert_int_equal(process_status(AT_FDCWD, 7, &status), -ENOENT);
}

static void pidfd_of_a_living_and_a_dead_process(void **state) {
        int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        pid_t child = fork(), pid = 0;
        int pidfd;

        if (child == 0)
                for (;;)
                        (void)pause();
        pidfd = sys_pidfd_open(child);
        assert_int_equal(process_of_pidfd(proc_fd, pidfd, &pid), 0);
        assert_int_equal(pid, child);
        (void)sys_pidfd_send_signal(pidfd, 9);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(process_of_pidfd(proc_fd, pidfd, &pid), -ESRCH);
        assert_int_equal(process_of_pidfd(proc_fd, proc_fd, &pid), -EBADF);
        (void)close(pidfd);
        (void)close(proc_fd);
}

static int find_self(void *context, pid_t pid) {
        *(unsigned *)context += 1;
        return pid == getpid() ? 7 : 0;
}

static void a_visit_ends_when_told(void **state) {
        int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        unsigned seen = 0;

        assert_int_equal(process_visit_all(proc_fd, find_self, &seen), 7);
        assert_true(seen > 0);
        (void)close(proc_fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_are_counted_from_the_name),
                cmocka_unit_test(what_is_no_stat_line),
                cmocka_unit_test(pidfd_of_a_living_and_a_dead_process),
                cmocka_unit_test(a_visit_ends_when_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
