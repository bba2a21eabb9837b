/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The child prepares itself in enter(), from the least to the most restrictive step, because each
 * later one forbids what the earlier ones need. A step that fails is reported through the same pipe
 * as a result, and nothing was parsed.
 *
 * Trusted: this code and the input pointer. Not trusted, from parse() on: everything in the child.
 * The parent therefore takes at most result_max bytes, waits at most deadline_ms, and looks at
 * nothing but the pipe and the pidfd.
 */
#include "base/jail.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JAIL_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define JAIL_SANITIZED 1
#endif

typedef enum Outcome { OUTCOME_DONE = 1, OUTCOME_FAILED } Outcome;

/* The most the parent takes: an outcome and either the parser's record or a packed Error. */
static size_t answer_max(const Jail *jail) {
        size_t error_size = 1 + sizeof(uint32_t) * 3 + ERROR_TEXT_MAX + 1;

        return jail->result_max + 1 > error_size ? jail->result_max + 1 : error_size;
}

static int drop_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

        return (int)syscall(SYS_capset, &header, none);
}

static bool holds_privilege(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = { 0 };

        if (geteuid() == 0 || getuid() == 0 || syscall(SYS_capget, &header, held) < 0)
                return true;
        return (held[0].permitted | held[1].permitted) != 0;
}

static int drop_identity(const Jail *jail, Error *error) {
        if (jail->identity == JAIL_NOTHING_TO_DROP) {
                if (holds_privilege())
                        return error_set(error, ERROR_OS, 0,
                                "the %s would keep a uid 0 or capabilities; it has to drop them",
                                jail->name);
                return 0;
        }
        if (setgroups(0, NULL) < 0 || setresgid(JAIL_GID, JAIL_GID, JAIL_GID) < 0 ||
                setresuid(JAIL_UID, JAIL_UID, JAIL_UID) < 0)
                return error_set(error, ERROR_OS, errno,
                        "the %s cannot become uid %u (needs CAP_SETUID and CAP_SETGID, and the uid "
                        "mapped)",
                        jail->name, JAIL_UID);
        /* a caller with file capabilities has a uid other than 0, and then the kernel keeps them
         * across setresuid */
        if (drop_capabilities() < 0)
                return error_set(
                        error, ERROR_OS, errno, "the %s cannot drop its capabilities", jail->name);
        return 0;
}

static int limit(enum __rlimit_resource resource, rlim_t value) {
        const struct rlimit both = { .rlim_cur = value, .rlim_max = value };

        return setrlimit(resource, &both);
}

static int limit_resources(const Jail *jail, Error *error) {
        int r = 0;

        r |= limit(RLIMIT_CORE, 0);
        r |= limit(RLIMIT_NOFILE, 0);
        r |= limit(RLIMIT_CPU, jail->deadline_ms / 1000 + 1);
#ifndef JAIL_SANITIZED /* its shadow memory alone is terabytes of address space */
        r |= limit(RLIMIT_AS, jail->memory_max);
#endif
        if (r < 0)
                return error_set(error, ERROR_OS, errno, "the %s cannot limit itself", jail->name);
        return 0;
}

static int add_rules(scmp_filter_ctx filter, int result_fd) {
        static const int harmless[] = {
                SCMP_SYS(read),
                SCMP_SYS(exit),
                SCMP_SYS(exit_group),
                SCMP_SYS(brk),
                SCMP_SYS(munmap),
                SCMP_SYS(mremap),
                SCMP_SYS(madvise),
                SCMP_SYS(getrandom),
                SCMP_SYS(sysinfo), /* glibc's qsort() asks how much memory there is */
#ifdef JAIL_SANITIZED
                SCMP_SYS(futex),
                SCMP_SYS(sched_yield),
                SCMP_SYS(sigaltstack),
                SCMP_SYS(getpid),
                SCMP_SYS(gettid),
                SCMP_SYS(mprotect),
                SCMP_SYS(prctl),
                SCMP_SYS(rt_sigprocmask),
#endif
        };

        for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
                if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, harmless[i], 0) < 0)
                        return -1;
        /* int arguments are compared by the 32 bits the kernel looks at */
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                    SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffU, (scmp_datum_t)result_fd)) < 0)
                return -1;
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Last: after it the process computes, allocates, writes its result and leaves. */
static int install_filter(const Jail *jail, int result_fd, Error *error) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        int r = -1;

        /* no_new_privs is set already; libseccomp is not to do it behind our back */
        if (filter != NULL && seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0 &&
                seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                add_rules(filter, result_fd) == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        if (r < 0)
                return error_set(error, ERROR_OS, r == -1 ? ENOMEM : -r,
                        "the %s cannot install its seccomp filter", jail->name);
        return 0;
}

static int enter(const Jail *jail, int result_fd, Error *error) {
        unsigned kept = (unsigned)result_fd;

        if ((kept > 0 && sys_close_range(0, kept - 1, 0) < 0) ||
                sys_close_range(kept + 1, ~0U, 0) < 0)
                return error_set(
                        error, ERROR_OS, errno, "the %s cannot close descriptors", jail->name);
        if (drop_identity(jail, error) < 0)
                return -1;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set(
                        error, ERROR_OS, errno, "the %s cannot give up privileges", jail->name);
        if (limit_resources(jail, error) < 0)
                return -1;
        return install_filter(jail, result_fd, error);
}

static void pack_error(Packer *packer, const Error *error) {
        pack_u32(packer, error->kind);
        pack_u32(packer, (uint32_t)error->code);
        pack_string(packer, error->text);
}

_Noreturn static void child_main(
        const Jail *jail, JailParser *parse, const void *input, int result_fd) {
        Packer answer = packer_growing(answer_max(jail));
        Error error = { 0 };
        int r;

        pack_u8(&answer, OUTCOME_DONE);
        r = enter(jail, result_fd, &error);
        if (r == 0)
                r = parse(input, &answer, &error);
        if (r == 0 && answer.failed)
                r = error_set(&error, ERROR_LIMIT, 0,
                        "the result of the %s takes more than %zu bytes", jail->name,
                        jail->result_max);
        if (r < 0) {
                packer_done(&answer);
                answer = packer_growing(answer_max(jail));
                pack_u8(&answer, OUTCOME_FAILED);
                pack_error(&answer, &error);
        }
        r = fd_write_full(result_fd, answer.data, answer.size);
        _exit(r < 0 || answer.failed ? 1 : 0);
}

static long remaining_ms(const struct timespec *deadline) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (deadline->tv_sec - now.tv_sec) * 1000 + (deadline->tv_nsec - now.tv_nsec) / 1000000;
}

/* 1: readable; 0: the deadline passed; else -errno. */
static int wait_readable(int fd, const struct timespec *deadline) {
        for (;;) {
                struct pollfd item = { .fd = fd, .events = POLLIN };
                long left = remaining_ms(deadline);
                int r = left > 0 ? poll(&item, 1, (int)left) : 0;

                if (r >= 0)
                        return r;
                if (errno != EINTR)
                        return -errno;
        }
}

/* Takes the answer until the child closes its end. *ret_size > room means: it wrote more. */
static int read_answer(const Jail *jail, int fd, const struct timespec *deadline, char *data,
        size_t room, size_t *ret_size, Error *error) {
        size_t size = 0;

        for (;;) {
                int r = wait_readable(fd, deadline);
                ssize_t n;

                if (r == 0)
                        return error_set(error, ERROR_LIMIT, 0, "the %s took longer than %u ms",
                                jail->name, jail->deadline_ms);
                n = r < 0 ? r : read(fd, data + size, room - size);
                if (n < 0)
                        return error_set(error, ERROR_OS, r < 0 ? -r : errno,
                                "cannot read from the %s", jail->name);
                size += (size_t)n;
                if (n == 0)
                        break;
                if (size == room)
                        return error_set(error, ERROR_LIMIT, 0,
                                "the %s answered more than %zu bytes", jail->name,
                                jail->result_max);
        }
        *ret_size = size;
        return 0;
}

static int explain_death(const Jail *jail, const siginfo_t *info, Error *error) {
        if (info->si_code == CLD_EXITED && info->si_status == 0)
                return 0;
        if (info->si_code == CLD_EXITED)
                return error_set(
                        error, ERROR_LIMIT, 0, "the %s could not hand back its result", jail->name);
        if (info->si_status == SIGSYS)
                return error_set(error, ERROR_INPUT, 0,
                        "the %s was stopped: the input made it try a system call that it may not "
                        "use",
                        jail->name);
        if (info->si_status == SIGKILL || info->si_status == SIGXCPU)
                return error_set(error, ERROR_LIMIT, 0,
                        "the %s was stopped at its limit of processor time", jail->name);
        return error_set(error, ERROR_INPUT, 0, "the %s crashed on the input (signal %d)",
                jail->name, info->si_status);
}

/* Ends the child if it has not answered well (`kill`), reaps it, and says what became of it. */
static int reap(const Jail *jail, pid_t child, int pidfd, bool kill, Error *error) {
        siginfo_t info = { 0 };

        if (kill)
                (void)sys_pidfd_send_signal(pidfd, SIGKILL);
        while (waitid(P_PID, (id_t)child, &info, WEXITED) < 0)
                if (errno != EINTR)
                        return error_set(
                                error, ERROR_OS, errno, "cannot wait for the %s", jail->name);
        return kill ? -1 : explain_death(jail, &info, error);
}

static int check_answer(const Jail *jail, const char *data, size_t size, Error *error) {
        Unpacker fields = unpacker(data, size);
        uint8_t outcome = unpack_u8(&fields);
        uint32_t kind, code;
        const char *text;

        if (outcome == OUTCOME_DONE)
                return 0;
        kind = unpack_u32(&fields);
        code = unpack_u32(&fields);
        text = unpack_string(&fields);
        if (outcome != OUTCOME_FAILED || !unpack_end(&fields) || kind < ERROR_OS ||
                kind > ERROR_PEER)
                return error_set(error, ERROR_INPUT, 0, "the %s gave no answer", jail->name);
        (void)error_set(error, (ErrorKind)kind, 0, "%s", text);
        if (error != NULL)
                error->code = (int)code;
        return -1;
}

/* Collects the answer of a running child; the child is reaped whatever happens. */
static int collect(const Jail *jail, pid_t child, int pipe_fd, char *data, size_t room,
        size_t *ret_size, Error *error) {
        cleanup_fd int pidfd = sys_pidfd_open(child);
        struct timespec deadline;
        size_t size = 0;
        int r;

        if (pidfd < 0) {
                int why = errno;

                (void)kill(child, SIGKILL); /* not yet reaped, so still ours */
                (void)reap(jail, child, -1, true, NULL);
                return error_set(error, ERROR_OS, why, "cannot watch the %s", jail->name);
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_sec += jail->deadline_ms / 1000;
        deadline.tv_nsec += (long)(jail->deadline_ms % 1000) * 1000000;

        r = read_answer(jail, pipe_fd, &deadline, data, room, &size, error);
        /* the pipe is closed, but only an exited child may have its answer believed */
        if (r == 0 && wait_readable(pidfd, &deadline) != 1)
                r = error_set(error, ERROR_LIMIT, 0, "the %s did not end within %u ms", jail->name,
                        jail->deadline_ms);
        if (reap(jail, child, pidfd, r < 0, r < 0 ? NULL : error) < 0)
                return -1;
        if (check_answer(jail, data, size, error) < 0)
                return -1;
        *ret_size = size;
        return 0;
}

/* The child keeps every signal blocked: no handler of the caller runs in it, SIGKILL and faults
 * still end it. */
static pid_t fork_blocked(void) {
        sigset_t all, before;
        pid_t child;

        sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, &before);
        child = fork();
        if (child != 0)
                (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return child;
}

int jail_run(const Jail *jail, JailParser *parse, const void *input, void **ret_result,
        size_t *ret_size, Error *error) {
        cleanup_free char *data = NULL;
        size_t room = answer_max(jail) + 1, size = 0;
        int ends[2] = { -1, -1 };
        pid_t child;
        int r;

        assert(jail->identity == JAIL_DROP_IDENTITY || jail->identity == JAIL_NOTHING_TO_DROP);
        data = malloc(room);
        if (data == NULL)
                return error_set(
                        error, ERROR_OS, ENOMEM, "no room for the result of the %s", jail->name);
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot make a pipe for the %s", jail->name);

        cleanup_fd int read_end = ends[0];
        cleanup_fd int write_end = ends[1];

        child = fork_blocked();
        if (child == 0)
                child_main(jail, parse, input, write_end);
        if (child < 0)
                return error_set(error, ERROR_OS, errno, "cannot start the %s", jail->name);
        (void)fd_close(take_fd(write_end));
        r = collect(jail, child, read_end, data, room, &size, error);
        if (r < 0)
                return -1;

        memmove(data, data + 1, size - 1); /* without the outcome */
        *ret_result = take_ptr(data);
        *ret_size = size - 1;
        return 0;
}
