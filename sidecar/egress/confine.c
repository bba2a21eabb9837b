/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/confine.h"

#include "base/cleanup.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define RESOLVER_DIRECTORY "/etc"

/* Landlock's file rights of ABI 1 and 2, which the design takes for granted. */
#define FILE_RIGHTS                                                                                \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
                LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |                       \
                LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                   \
                LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |                       \
                LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                       \
                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                     \
                LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

static int confine_files(Error *error) {
        const struct landlock_ruleset_attr attributes = { .handled_access_fs = FILE_RIGHTS };
        cleanup_fd int ruleset = sys_landlock_create_ruleset(&attributes, sizeof(attributes), 0);
        cleanup_fd int directory = open(RESOLVER_DIRECTORY, O_PATH | O_CLOEXEC | O_DIRECTORY);
        const struct landlock_path_beneath_attr rule = {
                .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
                .parent_fd = directory,
        };

        if (ruleset < 0)
                return error_set(error, ERROR_OS, errno, "Landlock of ABI 2 is not to be had");
        if (directory >= 0 &&
                sys_landlock_add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot leave '%s' readable", RESOLVER_DIRECTORY);
        if (sys_landlock_restrict_self(ruleset, 0) < 0)
                return error_set(error, ERROR_OS, errno, "cannot enter a Landlock domain");
        return 0;
}

/* Descriptors and events, sockets, memory, time; files for reading. */
static const int allowed[] = {
        SCMP_SYS(accept4),
        SCMP_SYS(brk),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(close),
        SCMP_SYS(connect),
        SCMP_SYS(epoll_ctl),
        SCMP_SYS(epoll_pwait),
        SCMP_SYS(epoll_pwait2),
        SCMP_SYS(epoll_wait),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(fcntl),
        SCMP_SYS(fstat),
        SCMP_SYS(futex),
        SCMP_SYS(getpeername),
        SCMP_SYS(getpid),
        SCMP_SYS(getrandom),
        SCMP_SYS(getsockname),
        SCMP_SYS(getsockopt),
        SCMP_SYS(gettid),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(lseek),
        SCMP_SYS(madvise),
        SCMP_SYS(mremap),
        SCMP_SYS(munmap),
        SCMP_SYS(newfstatat),
        SCMP_SYS(pipe2),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(read),
        SCMP_SYS(readv),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sendmsg),
        SCMP_SYS(sendto),
        SCMP_SYS(setsockopt),
        SCMP_SYS(shutdown),
        SCMP_SYS(splice),
        SCMP_SYS(statx),
        SCMP_SYS(write),
        SCMP_SYS(writev),
};

/* Comparisons look at 32 bits: the kernel takes these arguments as int, and what is above could be
 * used to pass a plain comparison. */
#define INT_IS(argument, value) SCMP_CMP32(argument, SCMP_CMP_EQ, (value))
#define INT_LACKS(argument, bits)                                                                  \
        SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, (uint64_t)(unsigned)(bits), 0)

static int add_rules(scmp_filter_ctx filter) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, INT_IS(0, AF_INET));
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, INT_IS(0, AF_INET6));
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, INT_LACKS(2, PROT_EXEC));
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, INT_LACKS(2, PROT_EXEC));
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                        INT_LACKS(2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC));
        return r;
}

static int confine_calls(Error *error) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter != NULL ? add_rules(filter) : -ENOMEM;

        if (r == 0)
                r = seccomp_load(filter);
        if (filter != NULL)
                seccomp_release(filter);
        return r < 0 ? error_set(error, ERROR_OS, -r, "cannot load the seccomp filter") : 0;
}

int confine(Error *error) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_set(error, ERROR_OS, errno, "cannot give up privileges");
        if (confine_files(error) < 0)
                return -1;
        return confine_calls(error);
}
