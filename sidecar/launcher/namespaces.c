/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Joining by pidfd is one system call for all namespaces: the process is in all of them or in none,
 * and a pid that was recycled meanwhile cannot be meant. The network comes by its own
 * descriptor: it is the sandbox's, not the workload's.
 */
#include "sidecar/launcher/namespaces.h"

#include "sidecar/launcher/process.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
        const char *file;
        int flag;
} joined[] = {
        { "ns/mnt", CLONE_NEWNS },
        { "ns/ipc", CLONE_NEWIPC },
        { "ns/uts", CLONE_NEWUTS },
        { "ns/cgroup", CLONE_NEWCGROUP },
};

/* What a pod's containers have in common, or nobody can be entered. A user namespace of a
 * container's own would give every number here another meaning. */
static const struct {
        const char *file;
        const char *refusal;
} common[] = {
        { "ns/pid", "the container has a pid namespace of its own: the pod needs "
                    "shareProcessNamespace: true" },
        { "ns/user", "the container has another user namespace than the sidecar: the containers "
                     "of a pod share one" },
};

static int differs(int proc_fd, pid_t pid, const char *file, bool *ret_differs, Error *error) {
        RecordInode ours = { 0 }, theirs = { 0 };
        int r;

        r = process_inode(proc_fd, getpid(), file, &ours);
        if (r == 0)
                r = process_inode(proc_fd, pid, file, &theirs);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot read /proc/%d/%s", pid, file);
        *ret_differs = !process_same_inode(ours, theirs);
        return 0;
}

int namespaces_compare(int proc_fd, pid_t pid, int *ret_flags, Error *error) {
        bool other = false;
        int flags = 0;

        for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
                if (differs(proc_fd, pid, common[i].file, &other, error) < 0)
                        return -1;
                if (other)
                        return error_set(error, ERROR_DENIED, 0, "%s", common[i].refusal);
        }
        for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++) {
                if (differs(proc_fd, pid, joined[i].file, &other, error) < 0)
                        return -1;
                if (other)
                        flags |= joined[i].flag;
        }
        if ((flags & CLONE_NEWNS) == 0)
                return error_set(error, ERROR_DENIED, 0,
                        "the container has the sidecar's own mount namespace");
        *ret_flags = flags;
        return 0;
}

int namespaces_join(int network_fd, int pidfd, int flags) {
        struct pollfd alive = { .fd = pidfd, .events = POLLIN };

        if (setns(network_fd, CLONE_NEWNET) < 0 || setns(pidfd, flags) < 0)
                return -errno;
        /* A workload that ended meanwhile leaves namespaces that nobody looks after any more. */
        return poll(&alive, 1, 0) == 0 ? 0 : -ESRCH;
}

int namespaces_check_root(RecordInode root) {
        struct stat about;

        if (stat("/", &about) < 0)
                return -errno;
        return process_same_inode(root, (RecordInode){ about.st_dev, about.st_ino }) ? 0 : -EXDEV;
}
