/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A list of what is forbidden, on top of the sidecar container's own profile, which sessions
 * inherit. What is on it gives no honest program anything (a session has no capability), and much
 * of it has been a way out of a kernel.
 *
 * It is two programs. What the sidecar itself never calls, it forbids itself once; all that it
 * starts inherits that. What it needs to make a session (setns, a network namespace, packet and
 * netlink sockets, openat2) each session forbids itself. Besides the sidecar being confined, this
 * is time: the kernel checks and translates every instruction of a program for each process that
 * installs it.
 *
 * - EPERM, so that a program says what happened; ENOSYS where it then falls back to something that
 *   can be examined (clone3, whose flags are in memory).
 * - A number above the newest one reviewed here is ENOSYS: a kernel's next invention is not in the
 *   sandbox before somebody has looked at it.
 * - The kernel takes an `int` argument from the low 32 bits of a register, a BPF comparison sees
 *   64: TIOCSTI|1<<32 is TIOCSTI to the one and not to the other. Every comparison of an int with
 *   what is forbidden is masked.
 * - Another architecture's calls (i386's int 0x80) end the process; x32 numbers are above every
 *   reviewed one.
 */
#include "sidecar/launcher/seccomp.h"

#include "base/fd.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEWEST_REVIEWED 469U /* file_setattr, Linux 6.17 */
#define INT_MASK 0xffffffffULL

/* From Linux 5.1 on a system call has one number on every architecture; libseccomp 2.5.4 does not
 * know the names of these. */
#define NUMBER_OPEN_TREE_ATTR 467
#define NUMBER_LSM_SET_SELF_ATTR 460

static const int forbidden_to_all[] = {
        /* other processes */
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(process_madvise),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(kcmp),
        SCMP_SYS(move_pages),
        SCMP_SYS(migrate_pages),
        /* namespaces and mounts */
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(open_tree),
        SCMP_SYS(move_mount),
        SCMP_SYS(fsopen),
        SCMP_SYS(fsconfig),
        SCMP_SYS(fsmount),
        SCMP_SYS(fspick),
        SCMP_SYS(mount_setattr),
        NUMBER_OPEN_TREE_ATTR,
        SCMP_SYS(open_by_handle_at),
        SCMP_SYS(quotactl),
        SCMP_SYS(quotactl_fd),
        SCMP_SYS(fanotify_init),
        /* programs and pages given to the kernel */
        SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(io_uring_enter),
        SCMP_SYS(io_uring_register),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(kexec_file_load),
        /* keys and labels, which are not namespaced */
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(keyctl),
        NUMBER_LSM_SET_SELF_ATTR,
        /* the node's own */
        SCMP_SYS(acct),
        SCMP_SYS(swapon),
        SCMP_SYS(swapoff),
        SCMP_SYS(reboot),
        SCMP_SYS(syslog),
        SCMP_SYS(vhangup),
        SCMP_SYS(sethostname),
        SCMP_SYS(setdomainname),
        SCMP_SYS(settimeofday),
        SCMP_SYS(clock_settime),
        SCMP_SYS(iopl),
        SCMP_SYS(ioperm),
        SCMP_SYS(lookup_dcookie),
        SCMP_SYS(nfsservctl),
        SCMP_SYS(uselib),
        SCMP_SYS(_sysctl),
        SCMP_SYS(sysfs),
        SCMP_SYS(ustat),
};

/* Terminal requests: typing into another's terminal, and choosing a line discipline, which loads a
 * module. */
static const uint64_t forbidden_requests[] = { TIOCSTI, TIOCLINUX, TIOCSETD };

static const uint64_t namespace_flags[] = {
        CLONE_NEWNS,
        CLONE_NEWCGROUP,
        CLONE_NEWUTS,
        CLONE_NEWIPC,
        CLONE_NEWUSER,
        CLONE_NEWPID,
};
/* CLONE_NEWTIME: to clone() the same bit is part of the exit signal */
#define UNSHARE_NEWTIME 0x80ULL

/* AF_PACKET is the sidecar's alone, and of AF_NETLINK a session has one protocol. */
static const uint64_t allowed_families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET };
#define FAMILIES_END 64U /* above every family there is */

/* Adds rules to a filter; the first failure stays, so that a list of rules is written without a
 * test for each. */
typedef struct Rules {
        scmp_filter_ctx filter;
        int failed; /* -errno */
} Rules;

static void deny(
        Rules *rules, int call, int code, unsigned count, const struct scmp_arg_cmp *arguments) {
        int r = seccomp_rule_add_array(
                rules->filter, SCMP_ACT_ERRNO((unsigned)code), call, count, arguments);

        if (r < 0 && rules->failed == 0)
                rules->failed = r;
}

static void deny_bits(Rules *rules, int call, unsigned argument, uint64_t mask, uint64_t value) {
        const struct scmp_arg_cmp comparison = {
                .arg = argument,
                .op = SCMP_CMP_MASKED_EQ,
                .datum_a = mask,
                .datum_b = value,
        };

        deny(rules, call, EPERM, 1, &comparison);
}

static bool any_allowed(uint64_t first, uint64_t count) {
        for (size_t i = 0; i < sizeof(allowed_families) / sizeof(allowed_families[0]); i++)
                if (allowed_families[i] >= first && allowed_families[i] - first < count)
                        return true;
        return false;
}

/* What is denied goes by aligned blocks, each one comparison of the upper bits. */
static void deny_families(Rules *rules, int call) {
        const struct scmp_arg_cmp beyond = { .arg = 0, .op = SCMP_CMP_GE, .datum_a = FAMILIES_END };
        uint64_t first = 0;

        while (first < FAMILIES_END) {
                uint64_t count = 1;

                while (first % (2 * count) == 0 && first + 2 * count <= FAMILIES_END &&
                        !any_allowed(first, 2 * count))
                        count *= 2;
                if (!any_allowed(first, count))
                        deny_bits(rules, call, 0, INT_MASK & ~(count - 1), first);
                first += count;
        }
        deny(rules, call, EPERM, 1, &beyond);
}

static void deny_families_of_the_sidecar(Rules *rules, int call) {
        /* the other netlink protocols reach kernel subsystems; 0 is what getifaddrs() asks */
        const struct scmp_arg_cmp netlink[] = {
                { .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = INT_MASK, .datum_b = AF_NETLINK },
                { .arg = 2, .op = SCMP_CMP_NE, .datum_a = 0 },
        };

        deny_bits(rules, call, 0, INT_MASK, AF_PACKET);
        deny(rules, call, EPERM, 2, netlink);
}

static void deny_namespaces(Rules *rules) {
        for (size_t i = 0; i < sizeof(namespace_flags) / sizeof(namespace_flags[0]); i++) {
                deny_bits(rules, SCMP_SYS(unshare), 0, namespace_flags[i], namespace_flags[i]);
                deny_bits(rules, SCMP_SYS(clone), 0, namespace_flags[i], namespace_flags[i]);
        }
        deny_bits(rules, SCMP_SYS(unshare), 0, UNSHARE_NEWTIME, UNSHARE_NEWTIME);
        deny(rules, SCMP_SYS(clone3), ENOSYS, 0, NULL);
}

static void deny_new_listener(Rules *rules) {
        const struct scmp_arg_cmp listener[] = {
                { .arg = 0,
                        .op = SCMP_CMP_MASKED_EQ,
                        .datum_a = INT_MASK,
                        .datum_b = SECCOMP_SET_MODE_FILTER },
                { .arg = 1,
                        .op = SCMP_CMP_MASKED_EQ,
                        .datum_a = SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        .datum_b = SECCOMP_FILTER_FLAG_NEW_LISTENER },
        };

        deny(rules, SCMP_SYS(seccomp), EPERM, 2, listener);
}

/*
 * May a file below a read-only path be emptied? Under Landlock ABI 2 nothing asks: truncate(2)
 * needs no write right, nor does open(2) with O_TRUNC for reading. From ABI 3 on Landlock asks, but
 * on overlayfs too late: a file of a lower layer is copied up, empty already, by the open that is
 * then denied. Nor is anything asked with access mode 3 ("neither, for ioctl"). openat2 has its
 * flags in memory, where BPF cannot look.
 */
static void deny_truncation(Rules *rules, int landlock_abi) {
        const uint64_t mask = O_TRUNC | O_ACCMODE;

        if (landlock_abi < 3)
                deny(rules, SCMP_SYS(truncate), EPERM, 0, NULL);
        deny_bits(rules, SCMP_SYS(open), 1, mask, O_TRUNC | O_RDONLY);
        deny_bits(rules, SCMP_SYS(open), 1, mask, O_TRUNC | O_ACCMODE);
        deny_bits(rules, SCMP_SYS(openat), 2, mask, O_TRUNC | O_RDONLY);
        deny_bits(rules, SCMP_SYS(openat), 2, mask, O_TRUNC | O_ACCMODE);
}

/* Another process of the same uid may be another session, and a limit can end it (RLIMIT_CPU):
 * Landlock's scope covers signals alone. To read a limit stays allowed. */
static void deny_limits_of_others(Rules *rules) {
        const struct scmp_arg_cmp others[] = {
                { .arg = 0, .op = SCMP_CMP_NE, .datum_a = 0 },
                { .arg = 2, .op = SCMP_CMP_NE, .datum_a = 0 },
        };

        deny(rules, SCMP_SYS(prlimit64), EPERM, 2, others);
}

static void deny_to_all(Rules *rules, int landlock_abi) {
        for (size_t i = 0; i < sizeof(forbidden_to_all) / sizeof(forbidden_to_all[0]); i++)
                deny(rules, forbidden_to_all[i], EPERM, 0, NULL);
        for (size_t i = 0; i < sizeof(forbidden_requests) / sizeof(forbidden_requests[0]); i++)
                deny_bits(rules, SCMP_SYS(ioctl), 1, INT_MASK, forbidden_requests[i]);
        deny_bits(rules, SCMP_SYS(execveat), 4, AT_EMPTY_PATH, AT_EMPTY_PATH);
        deny_families(rules, SCMP_SYS(socket));
        deny_families(rules, SCMP_SYS(socketpair));
        deny_namespaces(rules);
        deny_limits_of_others(rules);
        deny_new_listener(rules);
        if (landlock_abi > 0)
                deny_truncation(rules, landlock_abi);
}

static void deny_to_sessions(Rules *rules, int landlock_abi) {
        deny(rules, SCMP_SYS(setns), EPERM, 0, NULL);
        deny_bits(rules, SCMP_SYS(unshare), 0, CLONE_NEWNET, CLONE_NEWNET);
        deny_bits(rules, SCMP_SYS(clone), 0, CLONE_NEWNET, CLONE_NEWNET);
        deny_families_of_the_sidecar(rules, SCMP_SYS(socket));
        deny_families_of_the_sidecar(rules, SCMP_SYS(socketpair));
        if (landlock_abi > 0)
                deny(rules, SCMP_SYS(openat2), ENOSYS, 0, NULL);
}

static int export_program(scmp_filter_ctx filter, SeccompProgram *ret_program) {
        /* Jumps of BPF are relative and forward, so instructions may be put in front. */
        const struct sock_filter ceiling[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_REVIEWED, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        };
        cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
        cleanup_free struct sock_filter *program = NULL;
        struct stat about;
        ssize_t n;
        int r;

        if (fd < 0)
                return -errno;
        r = seccomp_export_bpf(filter, fd);
        if (r < 0)
                return r;
        if (fstat(fd, &about) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        program = malloc(sizeof(ceiling) + (size_t)about.st_size);
        if (program == NULL)
                return -ENOMEM;
        memcpy(program, ceiling, sizeof(ceiling));
        n = fd_read_full(fd, program + sizeof(ceiling) / sizeof(ceiling[0]), (size_t)about.st_size);
        if (n != about.st_size)
                return n < 0 ? (int)n : -EIO;

        ret_program->length = (unsigned short)((sizeof(ceiling) + (size_t)n) / sizeof(*program));
        ret_program->filter = take_ptr(program);
        return 0;
}

static int begin(Rules *rules, Error *error) {
        int r;

        rules->failed = 0;
        rules->filter = seccomp_init(SCMP_ACT_ALLOW);
        if (rules->filter == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot start the seccomp filter");
        r = seccomp_attr_set(rules->filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r == 0)
                r = seccomp_attr_set(rules->filter, SCMP_FLTATR_CTL_OPTIMIZE,
                        2); /* a binary tree: log n comparisons a call */
        return r < 0 ? error_set(error, ERROR_OS, -r, "cannot set up the seccomp filter") : 0;
}

static int finish(const Rules *rules, SeccompProgram *ret_program, Error *error) {
        int r = rules->failed < 0 ? rules->failed : export_program(rules->filter, ret_program);

        return r < 0 ? error_set(error, ERROR_OS, -r, "cannot compile the seccomp filter") : 0;
}

static void release(Rules *rules) {
        if (rules->filter != NULL)
                seccomp_release(rules->filter);
}

int seccomp_compile(int landlock_abi, SeccompProgram *ret_program, Error *error) {
        cleanup(release) Rules rules = { 0 };

        if (begin(&rules, error) < 0)
                return -1;
        deny_to_sessions(&rules, landlock_abi);
        return finish(&rules, ret_program, error);
}

int seccomp_restrict_sidecar(int landlock_abi, Error *error) {
        cleanup(seccomp_program_donep) SeccompProgram program = { 0 };
        cleanup(release) Rules rules = { 0 };
        int r;

        if (begin(&rules, error) < 0)
                return -1;
        deny_to_all(&rules, landlock_abi);
        if (finish(&rules, &program, error) < 0)
                return -1;
        r = seccomp_install(&program);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot install the seccomp filter%s",
                        r == -EACCES   ? ": CAP_SYS_ADMIN is needed"
                        : r == -EINVAL ? ": the kernel needs CONFIG_SECCOMP_FILTER"
                                       : "");
        return 0;
}

SeccompProgram seccomp_program_done(SeccompProgram program) {
        free(program.filter);
        return (SeccompProgram){ 0 };
}

int seccomp_install(const SeccompProgram *program) {
        const struct sock_fprog code = { .len = program->length, .filter = program->filter };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &code) < 0 ? -errno : 0;
}
