/* SPDX-License-Identifier: Apache-2.0 */

/*
 * /dev is the workload's: what is found there is believed only after the kernel has said that it is
 * a devpts and the multiplexer's device number. The slave is opened through the master
 * (TIOCGPTPEER), not by a name that somebody could put another file under.
 */
#include "sidecar/launcher/terminal.h"

#include "base/cleanup.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Documentation/admin-guide/devices.txt of the kernel: 5 char, 2 = /dev/ptmx */
#define MULTIPLEXER_DEVICE makedev(5, 2)

static int open_multiplexer(void) {
        cleanup_fd int directory = sys_openat2(
                AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
        cleanup_fd int master = -1;
        struct statfs file_system;
        struct stat about;

        if (directory < 0 || fstatfs(directory, &file_system) < 0)
                return -errno;
        if (file_system.f_type != DEVPTS_SUPER_MAGIC)
                return -ENODEV;
        master = sys_openat2(directory, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
                RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        if (master < 0 || fstat(master, &about) < 0)
                return -errno;
        if (!S_ISCHR(about.st_mode) || about.st_rdev != MULTIPLEXER_DEVICE)
                return -ENODEV;
        return take_fd(master);
}

int terminal_open(uint16_t rows, uint16_t columns, uid_t uid, int *ret_master, int *ret_slave) {
        const struct winsize size = { .ws_row = rows, .ws_col = columns };
        const int unlocked = 0;
        cleanup_fd int master = open_multiplexer();
        cleanup_fd int slave = -1;

        if (master < 0)
                return master;
        if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
                return -errno;
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return -errno;
        /* the group stays what the devpts was mounted with: tty, whom write(1) and mesg(1) know */
        if (ioctl(master, TIOCSWINSZ, &size) < 0 || fchown(slave, uid, (gid_t)-1) < 0 ||
                fchmod(slave, 0620) < 0)
                return -errno;

        *ret_master = take_fd(master);
        *ret_slave = take_fd(slave);
        return 0;
}

int terminal_control(int slave) {
        if (setsid() < 0)
                return -errno;
        if (slave >= 0 && ioctl(slave, TIOCSCTTY, 0) < 0)
                return -errno;
        return 0;
}
