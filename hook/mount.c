/* SPDX-License-Identifier: Apache-2.0 */

/*
 * open_tree(OPEN_TREE_CLONE) of a detached mount works only from Linux 6.15 on; of an attached one
 * it always did. That is why a file is cloned from the tree after the tree has its place.
 */
#include "hook/mount.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel explains a refused option in the file system's own log: "e tmpfs: Unknown parameter
 * 'x'". */
static int fail_option(int fs, const char *key, Error *error) {
        int code = errno;
        char reason[256];
        ssize_t n = read(fs, reason, sizeof(reason) - 1);

        if (n <= 0)
                return error_set(error, ERROR_OS, code, "cannot set tmpfs option '%s'", key);
        reason[n] = '\0';
        return error_set(error, ERROR_OS, code, "cannot set tmpfs option '%s': %s", key, reason);
}

static int set_text(int fs, const char *key, const char *value, Error *error) {
        if (sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0)
                return fail_option(fs, key, error);
        return 0;
}

static int set_number(int fs, const char *key, uint64_t value, const char *format, Error *error) {
        char text[24];

        (void)snprintf(text, sizeof(text), format[0] == 'o' ? "%" PRIo64 : "%" PRIu64, value);
        return set_text(fs, key, text, error);
}

int mount_new(const MountOptions *options, int *ret_tree, Error *error) {
        cleanup_fd int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
        int tree;

        if (fs < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot make a tmpfs (needs Linux 5.2 or later)");
        if (set_text(fs, "source", "navigator", error) < 0 ||
                set_number(fs, "size", options->size, "decimal", error) < 0 ||
                set_number(fs, "mode", options->mode, "octal", error) < 0 ||
                set_number(fs, "uid", options->uid, "decimal", error) < 0 ||
                set_number(fs, "gid", options->gid, "decimal", error) < 0)
                return -1;
        if (options->files != 0 &&
                set_number(fs, "nr_inodes", options->files, "decimal", error) < 0)
                return -1;
        if (options->label[0] != '\0' && set_text(fs, "context", options->label, error) < 0)
                return -1;
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return fail_option(fs, "create", error);
        tree = sys_fsmount(fs, FSMOUNT_CLOEXEC, options->attributes);
        if (tree < 0)
                return error_set(error, ERROR_OS, errno, "cannot mount a tmpfs");
        *ret_tree = tree;
        return 0;
}

int mount_add_file(int tree, const char *name, const void *data, size_t size, uid_t uid, gid_t gid,
        Error *error) {
        cleanup_fd int fd =
                openat(tree, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
        int r = fd < 0 ? -errno : fd_write_full(fd, data, size);

        if (r == 0 && (fchown(fd, uid, gid) < 0 || fchmod(fd, 0444) < 0))
                r = -errno;
        if (r < 0)
                return error_set(
                        error, ERROR_OS, -r, "cannot write '%s' to the tmpfs of the policy", name);
        return 0;
}

int mount_seal(int tree, Error *error) {
        struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

        if (sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attributes) < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot make a mount read-only (needs Linux 5.12 or later)");
        return 0;
}

int mount_attach(int tree, int target, const char *target_name, Error *error) {
        if (sys_move_mount(
                    tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot mount on '%s' of the image", target_name);
        return 0;
}

int mount_attach_file(
        int tree, const char *name, int target, const char *target_name, Error *error) {
        cleanup_fd int file = sys_open_tree(
                tree, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

        if (file < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot take '%s' out of the tmpfs of the policy", name);
        return mount_attach(file, target, target_name, error);
}
