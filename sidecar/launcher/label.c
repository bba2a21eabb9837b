/* SPDX-License-Identifier: Apache-2.0 */

/*
 * /proc/self/attr: AppArmor has a folder of its own from Linux 5.8 on and writes "PROFILE (MODE)";
 * SELinux has the files beside it and writes its context, with or without a NUL. A module that is
 * not active has no file, or one that cannot be read.
 */
#include "sidecar/launcher/label.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#define LABEL_MAX 512U

static bool read_label(int proc_fd, const char *path, char label[static LABEL_MAX]) {
        cleanup_fd int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? fd_read_full(fd, label, LABEL_MAX - 1) : -1;

        if (n <= 0)
                return false;
        label[n] = '\0';
        label[strcspn(label, " \n")] = '\0';
        return true;
}

const char *label_difference(int proc_fd, const Record *record) {
        char own[LABEL_MAX];

        if (record->apparmor[0] != '\0' &&
                (read_label(proc_fd, "self/attr/apparmor/current", own) ||
                        read_label(proc_fd, "self/attr/current", own)) &&
                strcmp(own, record->apparmor) != 0)
                return "the sidecar's AppArmor profile, not the workload's";
        if (record->selinux[0] != '\0' && read_label(proc_fd, "self/attr/current", own) &&
                strcmp(own, record->selinux) != 0)
                return "the sidecar's SELinux label, not the workload's";
        return "";
}
