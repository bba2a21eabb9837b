/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * System calls that Debian 12's glibc has no wrapper for, or whose structures its kernel headers do not know yet. Each returns what the
 * kernel returns: a value >= 0, or -1 with errno. No fallback: where one is missing the caller refuses.
 */
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A path of a hostile rootfs: never leaves `dir_fd`, absolute symlinks count from it, /proc's magic links are refused. */
static inline int sys_openat2_in_root(int dir_fd, const char *path, uint64_t flags, uint64_t mode) {
        const struct open_how how = {
                .flags = flags,
                .mode = mode,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };

        return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

static inline int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
        const struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

        return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

static inline int sys_pidfd_open(pid_t pid) {
        return (int)syscall(SYS_pidfd_open, pid, 0U);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal) {
        return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
        return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int sys_landlock_create_ruleset(const void *attributes, size_t size, uint32_t flags) {
        return (int)syscall(SYS_landlock_create_ruleset, attributes, size, flags);
}

static inline int sys_landlock_add_rule(int ruleset_fd, enum landlock_rule_type type, const void *rule, uint32_t flags) {
        return (int)syscall(SYS_landlock_add_rule, ruleset_fd, type, rule, flags);
}

static inline int sys_landlock_restrict_self(int ruleset_fd, uint32_t flags) {
        return (int)syscall(SYS_landlock_restrict_self, ruleset_fd, flags);
}

static inline int sys_open_tree(int dir_fd, const char *path, unsigned flags) {
        return (int)syscall(SYS_open_tree, dir_fd, path, flags);
}

static inline int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

static inline int sys_fsopen(const char *type, unsigned flags) {
        return (int)syscall(SYS_fsopen, type, flags);
}

static inline int sys_fsconfig(int fs_fd, unsigned command, const char *key, const void *value, int aux) {
        return (int)syscall(SYS_fsconfig, fs_fd, command, key, value, aux);
}

static inline int sys_fsmount(int fs_fd, unsigned flags, unsigned attributes) {
        return (int)syscall(SYS_fsmount, fs_fd, flags, attributes);
}

static inline int sys_mount_setattr(int dir_fd, const char *path, unsigned flags, struct mount_attr *attributes) {
        return (int)syscall(SYS_mount_setattr, dir_fd, path, flags, attributes, sizeof(*attributes));
}
