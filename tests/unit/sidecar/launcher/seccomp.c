/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tests/data/seccomp.tests against the running kernel: each line in a child of its own, with the
 * real filter. As root the kernel would refuse nearly nothing of it, so an EPERM is the filter's.
 */
#include "sidecar/launcher/seccomp.h"

#include "base/file.h"
#include "tests/helpers/unit.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define ANSWER_KILLED (-2)

#define NAMED(constant)                                                                            \
        { #constant, (unsigned long)(constant) }
static const struct {
        const char *name;
        unsigned long value;
} names[] = {
        { "HIGH", 1UL << 32 },
        NAMED(PTRACE_ATTACH),
        NAMED(SIGCHLD),
        NAMED(CLONE_FILES),
        NAMED(CLONE_NEWUSER),
        NAMED(CLONE_NEWNS),
        NAMED(CLONE_NEWNET),
        NAMED(CLONE_NEWPID),
        NAMED(CLONE_NEWIPC),
        NAMED(CLONE_NEWUTS),
        NAMED(CLONE_NEWCGROUP),
        NAMED(CLONE_NEWTIME),
        NAMED(MFD_NOEXEC_SEAL),
        NAMED(PROT_READ),
        NAMED(PROT_WRITE),
        NAMED(PROT_EXEC),
        NAMED(MAP_PRIVATE),
        NAMED(MAP_ANONYMOUS),
        NAMED(AF_UNIX),
        NAMED(AF_INET),
        NAMED(AF_INET6),
        NAMED(AF_NETLINK),
        NAMED(AF_PACKET),
        NAMED(AF_BLUETOOTH),
        NAMED(AF_VSOCK),
        NAMED(AF_ALG),
        NAMED(AF_XDP),
        NAMED(AF_CAN),
        NAMED(AF_TIPC),
        NAMED(AF_RDS),
        NAMED(AF_KEY),
        NAMED(SOCK_STREAM),
        NAMED(SOCK_DGRAM),
        NAMED(SOCK_RAW),
        NAMED(SOCK_SEQPACKET),
        NAMED(TIOCSTI),
        NAMED(TIOCLINUX),
        NAMED(TIOCSETD),
        NAMED(TIOCGWINSZ),
        NAMED(TCGETS),
        NAMED(AT_EMPTY_PATH),
        NAMED(AT_SYMLINK_NOFOLLOW),
        NAMED(AT_FDCWD),
        NAMED(SECCOMP_SET_MODE_FILTER),
        NAMED(SECCOMP_GET_ACTION_AVAIL),
        NAMED(SECCOMP_FILTER_FLAG_NEW_LISTENER),
        NAMED(PR_SET_NO_NEW_PRIVS),
        NAMED(O_RDONLY),
        NAMED(O_WRONLY),
        NAMED(O_ACCMODE),
        NAMED(O_TRUNC),
        NAMED(O_CLOEXEC),
};

static char file_path[] = "/tmp/navigator-seccomp-XXXXXX";

static unsigned long value_of(const char *word) {
        char *end = NULL;
        unsigned long value;

        if (strcmp(word, "path") == 0)
                return (unsigned long)file_path;
        if (strcmp(word, "self") == 0)
                return (unsigned long)getpid();
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(names[i].name, word) == 0)
                        return names[i].value;
        value = strtoul(word, &end, 0);
        if (*end != '\0')
                fail_msg("'%s' is no number and no name", word);
        return value;
}

static unsigned long argument_of(char *text) {
        unsigned long value = 0;
        char *rest = NULL;

        for (char *word = strtok_r(text, "|", &rest); word != NULL;
                word = strtok_r(NULL, "|", &rest))
                value |= value_of(word);
        return value;
}

static long call_number(const char *name) {
        char *end = NULL;
        long number = strtol(name, &end, 0);

        if (*end == '\0')
                return number;
        return seccomp_syscall_resolve_name(name);
}

/* All that a session has: what it inherits, and its own. */
static void confine(int landlock_abi, const SeccompProgram *program) {
        Error error;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                seccomp_restrict_sidecar(landlock_abi, &error) < 0 || seccomp_install(program) < 0)
                _exit(255);
}

/* The errno of the call, 0, or ANSWER_KILLED. */
static int answer(int landlock_abi, const SeccompProgram *program, long call,
        const unsigned long *arguments) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                long r;

                (void)setsid();
                confine(landlock_abi, program);
                errno = 0;
                r = syscall(call, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
                _exit(r < 0 ? errno : 0);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : ANSWER_KILLED;
}

static bool is_expected(const char *expected, int got) {
        if (strcmp(expected, "passes") == 0)
                return got >= 0 && got != EPERM && got != ENOSYS && got != 255;
        return got > 0 && strcmp(strerrorname_np(got), expected) == 0;
}

static void check_line(char *line, unsigned number) {
        unsigned long arguments[6] = { 0 };
        SeccompProgram program = { 0 };
        char *expected = strstr(line, "->");
        char *rest = NULL, *abi, *name;
        size_t count = 0;
        Error error;
        long call;
        int landlock_abi, got;

        assert_non_null(expected);
        *expected = '\0';
        expected += strlen("->");
        expected += strspn(expected, " ");
        abi = strtok_r(line, " ", &rest);
        name = strtok_r(NULL, " ", &rest);
        for (char *word = strtok_r(NULL, " ", &rest); word != NULL;
                word = strtok_r(NULL, " ", &rest))
                arguments[count++] = argument_of(word);
        landlock_abi = abi[0] == '-' ? 7 : atoi(abi);
        call = call_number(name);
        if (call < 0)
                return; /* this architecture does not have it: open on arm64 */

        assert_int_equal(seccomp_compile(landlock_abi, &program, &error), 0);
        got = answer(landlock_abi, &program, call, arguments);
        program = seccomp_program_done(program);
        if (!is_expected(expected, got))
                fail_msg("line %u: %s (ABI %s): expected %s, got %s", number, name, abi, expected,
                        got == ANSWER_KILLED ? "a kill"
                        : got == 0           ? "success"
                                             : strerrorname_np(got));
}

static void decisions(void **state) {
        char *text = NULL, *rest = NULL;
        unsigned number = 0;
        size_t size;
        Error error;

        assert_int_equal(
                file_read(AT_FDCWD, "tests/data/seccomp.tests", 1 << 20, &text, &size, &error), 0);
        for (char *line = text; line != NULL; line = rest) {
                rest = strchr(line, '\n');
                if (rest != NULL)
                        *rest++ = '\0';
                number++;
                if (line[0] != '#' && line[0] != '\0')
                        check_line(line, number);
        }
        free(text);
}

#ifdef __x86_64__
/* i386's getpid by its own gate: the process must end, not get an answer. */
static void foreign_architecture(void **state) {
        SeccompProgram program = { 0 };
        int status;
        Error error;
        pid_t pid;

        assert_int_equal(seccomp_compile(7, &program, &error), 0);
        pid = fork();
        if (pid == 0) {
                long r = 20;

                confine(7, &program);
                __asm__ volatile("int $0x80" : "+a"(r) : : "memory");
                _exit(r < 0 ? 1 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        program = seccomp_program_done(program);
        /* a kernel without 32-bit emulation faults or says ENOSYS: then nothing was executed either
         */
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 1);
}
#endif

static int make_file(void **state) {
        int fd = mkstemp(file_path);

        return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
        return unlink(file_path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(decisions),
#ifdef __x86_64__
                cmocka_unit_test(foreign_architecture),
#endif
        };

        return cmocka_run_group_tests(tests, make_file, remove_file);
}
