/* SPDX-License-Identifier: Apache-2.0 */

#include "base/jail.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "tests/helpers/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#define MEBIBYTE ((size_t)1024 * 1024)

static Jail small_jail(void) {
        return (Jail){
                .name = "test parser",
                .identity = geteuid() == 0 ? JAIL_DROP_IDENTITY : JAIL_NOTHING_TO_DROP,
                .memory_max = 64 * MEBIBYTE,
                .result_max = 4096,
                .deadline_ms = 2000,
        };
}

/* Runs it and expects a refusal of `kind` that says `text`. */
static void expect_refusal(
        const Jail *jail, JailParser *parse, const void *input, ErrorKind kind, const char *text) {
        Error error = { 0 };
        void *result = NULL;
        size_t size = 0;

        assert_int_equal(jail_run(jail, parse, input, &result, &size, &error), -1);
        assert_null(result);
        if (strstr(error.text, text) == NULL)
                fail_msg("'%s' does not say '%s'", error.text, text);
        assert_int_equal(error.kind, kind);
        /* nothing is left to reap */
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static int echo(const void *input, Packer *result, Error *error) {
        pack_string(result, input);
        return 0;
}

static void returns_the_record(void **state) {
        Jail jail = small_jail();
        cleanup_free void *result = NULL;
        Error error = { 0 };
        size_t size = 0;
        Unpacker fields;

        assert_int_equal(jail_run(&jail, echo, "hello", &result, &size, &error), 0);
        fields = unpacker(result, size);
        assert_string_equal(unpack_string(&fields), "hello");
        assert_true(unpack_end(&fields));
}

static int open_passwd(const void *input, Packer *result, Error *error) {
        pack_u32(result, (uint32_t)open("/etc/passwd", O_RDONLY | O_CLOEXEC));
        return 0;
}

static int make_socket(const void *input, Packer *result, Error *error) {
        pack_u32(result, (uint32_t)socket(AF_INET, SOCK_STREAM, 0));
        return 0;
}

static int map_executable(const void *input, Packer *result, Error *error) {
        void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        pack_u32(result, p != MAP_FAILED);
        return 0;
}

static int write_elsewhere(const void *input, Packer *result, Error *error) {
        pack_u32(result, (uint32_t)write(STDERR_FILENO, "x", 1));
        return 0;
}

static int signal_parent(const void *input, Packer *result, Error *error) {
        pack_u32(result, (uint32_t)kill(*(const pid_t *)input, SIGTERM));
        return 0;
}

static void reaches_nothing(void **state) {
        Jail jail = small_jail();
        pid_t self = getpid();

        expect_refusal(&jail, open_passwd, NULL, ERROR_INPUT, "a system call");
        expect_refusal(&jail, make_socket, NULL, ERROR_INPUT, "a system call");
        expect_refusal(&jail, map_executable, NULL, ERROR_INPUT, "a system call");
        expect_refusal(&jail, write_elsewhere, NULL, ERROR_INPUT, "a system call");
        expect_refusal(&jail, signal_parent, &self, ERROR_INPUT, "a system call");
}

static int read_inherited(const void *input, Packer *result, Error *error) {
        char byte;
        int fd = *(const int *)input;

        if (read(fd, &byte, 1) < 0)
                return error_set(error, ERROR_OS, errno, "fd is closed");
        pack_u32(result, 1);
        return 0;
}

static void inherits_no_descriptor(void **state) {
        Jail jail = small_jail();
        cleanup_fd int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        cleanup_fd int above = fcntl(fd, F_DUPFD_CLOEXEC, 500); /* than the pipe of the result */
        int standard = 0;

        assert_true(fd >= 0 && above >= 500);
        expect_refusal(&jail, read_inherited, &fd, ERROR_OS, "Bad file descriptor");
        expect_refusal(&jail, read_inherited, &above, ERROR_OS, "Bad file descriptor");
        expect_refusal(&jail, read_inherited, &standard, ERROR_OS, "Bad file descriptor");
}

static int fail_politely(const void *input, Packer *result, Error *error) {
        pack_string(result, "half a result");
        return error_set(error, ERROR_INPUT, ENOENT, "line 3 is wrong");
}

static void hands_on_the_parser_error(void **state) {
        Jail jail = small_jail();
        Error error = { 0 };
        void *result = NULL;
        size_t size = 0;

        expect_refusal(&jail, fail_politely, NULL, ERROR_INPUT,
                "line 3 is wrong: No such file or directory");
        (void)jail_run(&jail, fail_politely, NULL, &result, &size, &error);
        assert_int_equal(error.code, ENOENT);
        assert_string_equal(error.text, "line 3 is wrong: No such file or directory");
}

static int spin(const void *input, Packer *result, Error *error) {
        for (volatile unsigned turns = 0;; turns++)
                ;
        return 0;
}

static void has_a_deadline(void **state) {
        Jail jail = small_jail();
        struct timespec before, after;

        jail.deadline_ms = 50;
        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        expect_refusal(&jail, spin, NULL, ERROR_LIMIT, "took longer than 50 ms");
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        assert_true(after.tv_sec - before.tv_sec < 2);
}

static int allocate(const void *input, Packer *result, Error *error) {
        size_t size = *(const size_t *)input;
        volatile char *data = malloc(size);

        if (data == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        data[0] = 1;
        free((void *)(uintptr_t)data);
        pack_u32(result, 7);
        return 0;
}

static void has_a_bound_on_memory(void **state) {
        Jail jail = small_jail();
        size_t size = 128 * MEBIBYTE;

        if (SANITIZED) {
                print_message("the sanitizer's shadow does not go with RLIMIT_AS\n");
                skip();
        }
        expect_refusal(&jail, allocate, &size, ERROR_LIMIT, "no memory");
}

static int answer_much(const void *input, Packer *result, Error *error) {
        static const char block[1024];

        for (unsigned i = 0; i < 16; i++)
                pack_bytes(result, block, sizeof(block));
        return 0;
}

/* A parser under foreign control does not use the packer: it writes to the pipe, whose number it
 * can find. */
static int answer_behind_the_packer(const void *input, Packer *result, Error *error) {
        static const char block[8192];

        (void)write(*(const int *)input, block, sizeof(block));
        return 0;
}

static int lie_about_the_outcome(const void *input, Packer *result, Error *error) {
        (void)write(*(const int *)input, "\x02\xff\xff", 3);
        _exit(0);
}

static int next_free_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)close(fd);
        return fd + 1; /* the pipe's write end */
}

static void bounds_the_answer(void **state) {
        Jail jail = small_jail();
        int pipe_fd = next_free_fd();

        expect_refusal(&jail, answer_much, NULL, ERROR_LIMIT, "takes more than 4096 bytes");
        expect_refusal(
                &jail, answer_behind_the_packer, &pipe_fd, ERROR_LIMIT, "more than 4096 bytes");
        expect_refusal(&jail, lie_about_the_outcome, &pipe_fd, ERROR_INPUT, "gave no answer");
}

static int crash(const void *input, Packer *result, Error *error) {
        raise(SIGSEGV);
        return 0;
}

static int fault(const void *input, Packer *result, Error *error) {
        *(volatile int *)(uintptr_t)input = 1;
        return 0;
}

static int leave_early(const void *input, Packer *result, Error *error) {
        _exit(0);
}

static void survives_a_crash(void **state) {
        Jail jail = small_jail();

        expect_refusal(&jail, crash, NULL, ERROR_INPUT, "a system call");
        if (!SANITIZED) /* whose handler reports instead */
                expect_refusal(
                        &jail, fault, (void *)8, ERROR_INPUT, "crashed on the input (signal 11)");
        expect_refusal(&jail, leave_early, NULL, ERROR_INPUT, "gave no answer");
}

/* Whoever asks to keep its identity while it holds something is refused, in a child so that this
 * process keeps its own. */
static void never_keeps_a_privilege(void **state) {
        Jail jail = small_jail();

        if (geteuid() != 0) {
                print_message("needs root, to have something that must be dropped\n");
                skip();
        }
        jail.identity = JAIL_NOTHING_TO_DROP;
        expect_refusal(&jail, echo, "x", ERROR_OS, "has to drop them");
}

static void refuses_without_the_right_to_drop(void **state) {
        Jail jail = small_jail();
        pid_t child;
        int status;

        jail.identity = JAIL_DROP_IDENTITY;
        if (geteuid() != 0) {
                expect_refusal(&jail, echo, "x", ERROR_OS, "cannot become uid 65533");
                return;
        }
        child = fork();
        if (child == 0) {
                Error error = { 0 };
                void *result = NULL;
                size_t size;
                int r = setresuid(1000, 1000, 1000);

                r |= jail_run(&jail, echo, "x", &result, &size, &error) == 0;
                jail.identity = JAIL_NOTHING_TO_DROP;
                r |= jail_run(&jail, echo, "x", &result, &size, &error) != 0;
                _exit(strstr(error.text, "cannot become uid 65533") != NULL && r == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

static int read_proc(const char *path, char **ret_text, size_t *ret_size) {
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -1;
        return file_read_fd(fd, path, 65536, ret_text, ret_size, NULL);
}

static unsigned count_entries(const char *path) {
        DIR *directory = opendir(path);
        unsigned count = 0;

        assert_non_null(directory);
        while (readdir(directory) != NULL)
                count++;
        (void)closedir(directory);
        return count - 2; /* without . and .. */
}

/* The first child of `parent` that has its filter, or 0. */
static pid_t find_jailed_child(pid_t parent, char *status, size_t room) {
        char path[64];

        for (unsigned tries = 0; tries < 200; tries++) {
                cleanup_free char *text = NULL;
                size_t size;
                int child = 0;

                (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
                if (read_proc(path, &text, &size) == 0)
                        child = (int)strtol(text, NULL, 10);
                (void)snprintf(path, sizeof(path), "/proc/%d/status", child);
                if (child > 0) {
                        cleanup_free char *found = NULL;

                        if (read_proc(path, &found, &size) == 0 &&
                                strstr(found, "Seccomp:\t2") != NULL && size < room) {
                                memcpy(status, found, size + 1);
                                return child;
                        }
                }
                (void)usleep(5000);
        }
        return 0;
}

/* ---- a jailed process, seen by another one while it runs ---- */

typedef struct Observed {
        pid_t runner, child;
        char status[8192];
} Observed;

/* Runs a parser that does not end, in a process that `become` has prepared. */
static Observed observe(void (*become)(void), JailIdentity identity) {
        Jail jail = small_jail();
        Observed observed = { .runner = fork() };

        jail.identity = identity;
        if (observed.runner == 0) {
                void *result;
                size_t size;

                become();
                (void)jail_run(&jail, spin, NULL, &result, &size, NULL);
                _exit(0);
        }
        observed.child =
                find_jailed_child(observed.runner, observed.status, sizeof(observed.status));
        assert_true(observed.child > 0);
        return observed;
}

static void stop(const Observed *observed) {
        (void)kill(observed->child, SIGKILL);
        assert_int_equal(waitpid(observed->runner, NULL, 0), observed->runner);
}

static void expect_status(const Observed *observed, const char *line) {
        if (strstr(observed->status, line) == NULL)
                fail_msg("no '%s' in %s", line, observed->status);
}

static void expect_nothing_held(const Observed *observed) {
        char path[64];
        struct stat status;

        expect_status(observed, "CapInh:\t0000000000000000");
        expect_status(observed, "CapPrm:\t0000000000000000");
        expect_status(observed, "CapEff:\t0000000000000000");
        expect_status(observed, "CapAmb:\t0000000000000000");
        expect_status(observed, "NoNewPrivs:\t1");
        expect_status(observed, "Groups:\t \n");
        (void)snprintf(path, sizeof(path), "/proc/%d/fd", observed->child);
        assert_int_equal(count_entries(path), 1);
        /* the files of a process that is not dumpable are root's */
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", observed->child);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_uid, 0);
}

static void skip_without_root(void) {
        if (geteuid() != 0) {
                print_message("needs root, to become who is to be jailed\n");
                skip();
        }
}

static void become_root_of_a_group(void) {
        gid_t group = 12345;

        if (setgroups(1, &group) < 0)
                _exit(98);
}

/* Another uid, and capabilities nevertheless: what capabilities of a file give. */
static void become_the_launcher(void) {
        const uint32_t held = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
                { .permitted = held, .effective = held, .inheritable = held },
        };

        if (setgroups(0, NULL) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
                setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0 ||
                syscall(SYS_capset, &header, data) < 0)
                _exit(98);
}

static void become_anybody(void) {
        if (setgroups(0, NULL) < 0 || setresgid(1000, 1000, 1000) < 0 ||
                setresuid(1000, 1000, 1000) < 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
                _exit(98);
}

static void root_is_left_behind(void **state) {
        Observed observed;

        skip_without_root();
        observed = observe(become_root_of_a_group, JAIL_DROP_IDENTITY);
        expect_status(&observed, "Uid:\t65533\t65533\t65533\t65533");
        expect_status(&observed, "Gid:\t65533\t65533\t65533\t65533");
        expect_nothing_held(&observed);
        stop(&observed);
}

static void capabilities_of_a_file_are_left_behind(void **state) {
        Observed observed;

        skip_without_root();
        observed = observe(become_the_launcher, JAIL_DROP_IDENTITY);
        expect_status(&observed, "Uid:\t65533\t65533\t65533\t65533");
        expect_nothing_held(&observed);
        stop(&observed);
}

static void who_has_nothing_is_jailed_all_the_same(void **state) {
        Observed observed;

        skip_without_root();
        observed = observe(become_anybody, JAIL_NOTHING_TO_DROP);
        expect_status(&observed, "Uid:\t1000\t1000\t1000\t1000");
        expect_nothing_held(&observed);
        stop(&observed);
}

static void is_fast(void **state) {
        Jail jail = small_jail();
        struct timespec before, after;
        double ms;

        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        for (unsigned i = 0; i < 100; i++) {
                cleanup_free void *result = NULL;
                size_t size;

                assert_int_equal(jail_run(&jail, echo, "hello", &result, &size, NULL), 0);
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
             (double)(after.tv_nsec - before.tv_nsec) / 1e6;
        print_message("one run: %.2f ms\n", ms / 100);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(returns_the_record),
                cmocka_unit_test(reaches_nothing),
                cmocka_unit_test(inherits_no_descriptor),
                cmocka_unit_test(hands_on_the_parser_error),
                cmocka_unit_test(has_a_deadline),
                cmocka_unit_test(has_a_bound_on_memory),
                cmocka_unit_test(bounds_the_answer),
                cmocka_unit_test(survives_a_crash),
                cmocka_unit_test(never_keeps_a_privilege),
                cmocka_unit_test(refuses_without_the_right_to_drop),
                cmocka_unit_test(root_is_left_behind),
                cmocka_unit_test(capabilities_of_a_file_are_left_behind),
                cmocka_unit_test(who_has_nothing_is_jailed_all_the_same),
                cmocka_unit_test(is_fast),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
