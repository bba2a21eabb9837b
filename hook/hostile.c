/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/hostile.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Those that <linux/magic.h> leaves out, from their own sources in the kernel (ZFS: its own). */
#define MAGIC_BCACHEFS 0xca451a4eU
#define MAGIC_JFS 0x3153464aU
#define MAGIC_GFS2 0x01161970U
#define MAGIC_GPFS 0x47504653U
#define MAGIC_LUSTRE 0x0bd00bd0U
#define MAGIC_UBIFS 0x24051905U
#define MAGIC_ZFS 0x2fc12fc1U

/*
 * File systems that keep files: the roots and volumes of containers lie on these. On the others
 * (proc, sysfs, debugfs, tracefs, cgroup, securityfs, and those to come) a read by the host's root
 * can act: it empties the kernel's log, or tells what the container may not know. The runtime masks
 * such paths later than we run, and so a link of the image reaches them.
 */
static const unsigned file_systems[] = {
        OVERLAYFS_SUPER_MAGIC,
        TMPFS_MAGIC,
        RAMFS_MAGIC,
        EXT4_SUPER_MAGIC, /* 2 and 3, too */
        XFS_SUPER_MAGIC,
        BTRFS_SUPER_MAGIC,
        F2FS_SUPER_MAGIC,
        MAGIC_BCACHEFS,
        MAGIC_ZFS,
        MAGIC_JFS,
        MAGIC_UBIFS,
        NILFS_SUPER_MAGIC,
        REISERFS_SUPER_MAGIC,
        ECRYPTFS_SUPER_MAGIC,
        EROFS_SUPER_MAGIC_V1,
        SQUASHFS_MAGIC,
        ISOFS_SUPER_MAGIC,
        MSDOS_SUPER_MAGIC,
        EXFAT_SUPER_MAGIC,
        UDF_SUPER_MAGIC,
        FUSE_SUPER_MAGIC, /* fuse-overlayfs, virtiofs */
        V9FS_MAGIC,
        NFS_SUPER_MAGIC,
        CEPH_SUPER_MAGIC,
        SMB2_SUPER_MAGIC,
        CIFS_SUPER_MAGIC,
        AFS_SUPER_MAGIC,
        OCFS2_SUPER_MAGIC,
        MAGIC_GFS2,
        MAGIC_GPFS,
        MAGIC_LUSTRE,
};

static bool keeps_files(unsigned magic) {
        for (size_t i = 0; i < sizeof(file_systems) / sizeof(*file_systems); i++)
                if (file_systems[i] == magic)
                        return true;
        return false;
}

static int check_file(int place, const char *path, Error *error) {
        struct stat status;
        struct statfs system;

        if (fstat(place, &status) < 0 || fstatfs(place, &system) < 0)
                return error_set(error, ERROR_OS, errno, "cannot look at '%s'", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_INPUT, 0, "'%s' is not a regular file", path);
        /* f_type is a signed word of the machine's size, the number in it has 32 bits */
        if (!keeps_files((unsigned)system.f_type))
                return error_set(error, ERROR_DENIED, 0,
                        "'%s' leads to a file system that keeps no files (type 0x%x), such as "
                        "/proc or /sys: the kernel answers there, and not the image",
                        path, (unsigned)system.f_type);
        return 0;
}

int hostile_read(int proc, int directory, const char *path, uint64_t resolve, size_t limit,
        char **ret_data, size_t *ret_size, Error *error) {
        cleanup_fd int place = -1, fd = -1;
        char link[32];

        /* O_PATH opens nothing: a device does not notice, a FIFO does not wait */
        place = sys_openat2(directory, path, O_PATH | O_CLOEXEC, 0, resolve);
        if (place < 0 && errno == ENOENT)
                return HOSTILE_MISSING;
        if (place < 0 && errno == EXDEV)
                return error_set(error, ERROR_INPUT, 0,
                        "'%s' leads to another file system than the one it should be on", path);
        if (place < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", path);
        if (check_file(place, path, error) < 0)
                return -1;
        (void)snprintf(link, sizeof(link), "self/fd/%d", place);
        fd = openat(proc, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot read '%s'", path);
        return file_read_fd(fd, path, limit, ret_data, ret_size, error);
}
