/* SPDX-License-Identifier: Apache-2.0 */

/*
 * We were started without capabilities. This is the second wall: should a client's bytes take this
 * process over, it can do with its open descriptors what it could before, and nothing else. It
 * cannot open a file, make or connect a socket, start a program or a thread; but for what its needs
 * say: one directory to read, one port to connect to.
 *
 * The list of system calls is what libevent (epoll), OpenSSL and glibc's allocator use once they
 * are warm. What glibc tries by the way and can do without (opening a locale or a time zone) fails
 * with EPERM; anything else ends the process: a new one is started, and the old one's end tells.
 */
#include "http/confine.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Newer than Debian 12's kernel headers; include/uapi/linux/landlock.h. */
typedef struct LandlockAttributes {
        uint64_t access_fs, access_net, scoped;
} LandlockAttributes;

typedef struct LandlockPort {
        uint64_t access, port;
} LandlockPort;

#define LANDLOCK_NET_PORT 2            /* the kind of rule */
#define LANDLOCK_NET_CONNECT (1U << 1) /* the right */
#define SOCKET_TYPE_MASK 0xf           /* SOCK_CLOEXEC and SOCK_NONBLOCK aside */
#define LANDLOCK_ABI_FLOOR 2           /* the product's, see docs/threat-model.md */

/* All rights of an ABI: the highest bit of each kind, by the version that brought it. */
static const struct {
        int abi;
        unsigned file_rights, network_rights, scopes;
} landlock_versions[] = {
        { 2, 14, 0, 0 }, /* refer */
        { 3, 15, 0, 0 }, /* truncate */
        { 4, 15, 2, 0 }, /* bind, connect */
        { 5, 16, 2, 0 }, /* ioctl on devices */
        { 6, 16, 2, 2 }, /* abstract sockets, signals */
};

static const char *const allowed_calls[] = {
        /* the loop */
        "epoll_wait",
        "epoll_pwait",
        "epoll_ctl",
        "poll",
        "ppoll",
        "clock_gettime",
        "gettimeofday",
        "restart_syscall",
        /* clients, pipes, terminals, the launcher */
        "read",
        "write",
        "readv",
        "writev",
        "recvmsg",
        "sendmsg",
        "recvfrom",
        "sendto",
        "accept4",
        "shutdown",
        "close",
        "setsockopt",
        "getsockopt",
        "fcntl",
        /* memory */
        "brk",
        "munmap",
        "mremap",
        "madvise",
        "futex",
        /* randomness, and OpenSSL's question whether it has been forked */
        "getrandom",
        "getpid",
        /* the end; a failed assertion */
        "exit",
        "exit_group",
        "rt_sigprocmask",
        "rt_sigaction",
        "rt_sigreturn",
        "gettid",
        "tgkill",
};

/* Reading a token or a certificate that changes, and connecting. Landlock says which and where to.
 */
static const char *const file_calls[] = { "openat", "fstat", "newfstatat", NULL };
static const char *const network_calls[] = { "connect", "getsockname", "getpeername", NULL };
static const char *const no_calls[] = { NULL };

static const char *const refused_calls[] = { "open", "openat", "stat", "newfstatat", "fstat",
        "access", "readlink", "socket", "connect" };

static const unsigned long allowed_ioctls[] = { FIONREAD, TIOCSWINSZ, TCGETS };

int confine_first(Error *error) {
        const struct rlimit no_core = { 0 };
        struct rlimit files;

        if (prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
                return error_set(error, ERROR_OS, errno, "cannot hide this process's memory");
        /* Four descriptors a session. */
        if (getrlimit(RLIMIT_NOFILE, &files) < 0)
                return error_set(error, ERROR_OS, errno, "cannot read the limit of open files");
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) < 0)
                return error_set(error, ERROR_OS, errno, "cannot raise the limit of open files");
        return 0;
}

static uint64_t all_bits(unsigned count) {
        return (UINT64_C(1) << count) - 1;
}

static int grant_needs(int ruleset, const LandlockAttributes *handled, const ConfineNeeds *needs) {
        const struct landlock_path_beneath_attr files = {
                .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
                .parent_fd = needs->credentials,
        };
        const LandlockPort port = { .access = LANDLOCK_NET_CONNECT, .port = needs->port };

        if (needs->credentials >= 0 &&
                sys_landlock_add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, &files, 0) < 0)
                return -1;
        if (needs->port == 0 || handled->access_net == 0)
                return 0;
        return sys_landlock_add_rule(ruleset, (enum landlock_rule_type)LANDLOCK_NET_PORT, &port, 0);
}

static int restrict_landlock(const ConfineNeeds *needs, Error *error) {
        LandlockAttributes attributes = { 0 };
        int abi = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        cleanup_fd int ruleset = -1;

        /* Where sessions may run without it (best_effort) we may, too: seccomp refuses the same. */
        if (abi < LANDLOCK_ABI_FLOOR) {
                log_line(LOG_LEVEL_WARNING, "this kernel's Landlock is of version %d, %d is wanted",
                        abi < 0 ? 0 : abi, LANDLOCK_ABI_FLOOR);
                return 0;
        }
        for (size_t i = 0; i < sizeof(landlock_versions) / sizeof(*landlock_versions); i++)
                if (landlock_versions[i].abi <= abi) {
                        attributes.access_fs = all_bits(landlock_versions[i].file_rights);
                        attributes.access_net = all_bits(landlock_versions[i].network_rights);
                        attributes.scoped = all_bits(landlock_versions[i].scopes);
                }
        /* Nothing else is granted. An older kernel takes the longer record as long as what it does
         * not know is zero. */
        ruleset = sys_landlock_create_ruleset(&attributes, sizeof(attributes), 0);
        if (ruleset < 0 || grant_needs(ruleset, &attributes, needs) < 0 ||
                sys_landlock_restrict_self(ruleset, 0) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot give up files and network by Landlock");
        return 0;
}

/* A call that this architecture does not have needs no rule. */
static int add_rule(scmp_filter_ctx filter, uint32_t action, const char *name) {
        int number = seccomp_syscall_resolve_name(name);

        if (number == __NR_SCMP_ERROR)
                return -EINVAL;
        if (number < 0)
                return 0;
        return seccomp_rule_add(filter, action, number, 0);
}

static int add_memory_rules(scmp_filter_ctx filter) {
        const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
        int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable);

        if (r < 0)
                return r;
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
}

static int add_ioctl_rules(scmp_filter_ctx filter) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(allowed_ioctls) / sizeof(*allowed_ioctls); i++)
                /* The kernel looks at 32 bits of it. */
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                        SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, allowed_ioctls[i]));
        return r;
}

/* Streams over IP only: with another kind the connection could go round Landlock's port. */
static int add_socket_rules(scmp_filter_ctx filter) {
        static const unsigned long families[] = { AF_INET, AF_INET6 };
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(*families); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                        SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, families[i]),
                        SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, SOCK_STREAM));
        return r;
}

static bool is_among(const char *name, const char *const *names) {
        while (*names != NULL && strcmp(*names, name) != 0)
                names++;
        return *names != NULL;
}

/* What is tried by the way and done without, as long as it is not a need. */
static int add_refusals(scmp_filter_ctx filter, const ConfineNeeds *needs) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(refused_calls) / sizeof(*refused_calls); i++) {
                const char *name = refused_calls[i];
                bool needed = (needs->credentials >= 0 && is_among(name, file_calls)) ||
                              (needs->port != 0 && (is_among(name, network_calls) ||
                                                           strcmp(name, "socket") == 0));

                if (!needed)
                        r = add_rule(filter, SCMP_ACT_ERRNO(EPERM), name);
        }
        return r;
}

static int add_rules(scmp_filter_ctx filter, const ConfineNeeds *needs) {
        const char *const *files = needs->credentials >= 0 ? file_calls : no_calls;
        const char *const *network = needs->port != 0 ? network_calls : no_calls;
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(allowed_calls) / sizeof(*allowed_calls); i++)
                r = add_rule(filter, SCMP_ACT_ALLOW, allowed_calls[i]);
        for (; r == 0 && *files != NULL; files++)
                r = add_rule(filter, SCMP_ACT_ALLOW, *files);
        for (; r == 0 && *network != NULL; network++)
                r = add_rule(filter, SCMP_ACT_ALLOW, *network);
        if (r == 0 && needs->port != 0)
                r = add_socket_rules(filter);
        if (r == 0)
                r = add_refusals(filter, needs);
        if (r == 0)
                r = add_memory_rules(filter);
        if (r == 0)
                r = add_ioctl_rules(filter);
        return r;
}

static int restrict_calls(const ConfineNeeds *needs, Error *error) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        int r = filter != NULL ? add_rules(filter, needs) : -ENOMEM;

        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot give up system calls by seccomp");
        return 0;
}

int confine_for_good(const ConfineNeeds *needs, Error *error) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
                return error_set(error, ERROR_OS, errno, "cannot give up new privileges");
        if (restrict_landlock(needs, error) < 0)
                return -1;
        return restrict_calls(needs, error);
}
