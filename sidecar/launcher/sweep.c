/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The two questions of a starting launcher.
 *
 * "Am I the only one?" A runtime's exec can start our executable a second time in the sidecar
 * container, with the capabilities of its file and with arguments of the caller's choice. Every
 * file lock or socket we could hold would be something a dying container leaves stale or a caller
 * races for. The mount namespace is neither: each container has its own, its first process is there
 * before any other, and a workload can put no process into it (setns needs access to a process of
 * it, and none of ours is dumpable).
 *
 * "What did the last one leave?" Sessions live in a sandbox network namespace. One that a launcher
 * made belongs to our own user namespace and is not the pod's. A namespace that a workload made for
 * itself (a browser's sandbox, a rootless build) belongs to a user namespace that it made too, so
 * it is left alone; a workload that may create one in the pod's user namespace holds CAP_SYS_ADMIN,
 * which admission refuses.
 */
#include "sidecar/launcher/sweep.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"
#include "sidecar/launcher/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_ROUNDS_MAX 500 /* of 10 ms each */

typedef struct Search {
        int proc_fd;
        pid_t self;
        RecordInode mount_namespace, network_namespace, user_namespace; /* our own */
        uint64_t start_time;
        pid_t found; /* 0: none */
        unsigned killed;
} Search;

static int begin(int proc_fd, Search *ret_search, Error *error) {
        Search search = { .proc_fd = proc_fd, .self = getpid() };
        ProcessStatus status = { 0 };
        int r;

        r = process_inode(proc_fd, search.self, "ns/mnt", &search.mount_namespace);
        if (r == 0)
                r = process_inode(proc_fd, search.self, "ns/net", &search.network_namespace);
        if (r == 0)
                r = process_inode(proc_fd, search.self, "ns/user", &search.user_namespace);
        if (r == 0)
                r = process_status(proc_fd, search.self, &status);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot read about this process in /proc");
        search.start_time = status.start_time;
        *ret_search = search;
        return 0;
}

/* A process that was started in this container after us is a probe or a client, and no reason to
 * give way to it. One that cannot be read has another security label, so the runtime did not start
 * it in this container. */
static int find_elder(void *context, pid_t pid) {
        Search *search = context;
        RecordInode namespace;
        ProcessStatus status;

        if (pid != search->self && process_inode(search->proc_fd, pid, "ns/mnt", &namespace) == 0 &&
                process_same_inode(namespace, search->mount_namespace) &&
                process_status(search->proc_fd, pid, &status) == 0 &&
                status.start_time <= search->start_time)
                search->found = pid;
        return 0;
}

int sweep_refuse_second_launcher(int proc_fd, Error *error) {
        Search search;
        int r;

        if (begin(proc_fd, &search, error) < 0)
                return -1;
        r = process_visit_all(proc_fd, find_elder, &search);
        if (r < 0)
                return error_set(error, ERROR_OS, -r,
                        "cannot tell whether another launcher runs in this container");
        if (search.found != 0)
                return error_set(error, ERROR_DENIED, 0,
                        "process %d runs in this container already: the launcher is the "
                        "container's first process or it is nothing",
                        search.found);
        return 0;
}

static int made_by_a_launcher(const Search *search, pid_t pid) {
        cleanup_fd int network = -1;
        cleanup_fd int owner = -1;
        struct stat about;
        char path[64];

        (void)snprintf(path, sizeof(path), "%d/ns/net", pid);
        network = openat(search->proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (network < 0 || fstat(network, &about) < 0)
                return 0; /* it has gone, or it is a kernel thread */
        if (process_same_inode(
                    (RecordInode){ about.st_dev, about.st_ino }, search->network_namespace))
                return 0;
        owner = ioctl(network, NS_GET_USERNS);
        if (owner < 0)
                return errno == EPERM ? 0 : -errno; /* owned from outside: not made in this pod */
        if (fstat(owner, &about) < 0)
                return -errno;
        return process_same_inode(
                       (RecordInode){ about.st_dev, about.st_ino }, search->user_namespace)
                       ? 1
                       : 0;
}

static int end_leftover(void *context, pid_t pid) {
        Search *search = context;
        cleanup_fd int pidfd = -1;
        ProcessStatus status;
        int r;

        if (pid == search->self)
                return 0;
        pidfd = sys_pidfd_open(
                pid); /* before the look, so that the signal reaches what was looked at */
        if (pidfd < 0)
                return 0;
        r = made_by_a_launcher(search, pid);
        if (r <= 0)
                return r;
        if (process_status(search->proc_fd, pid, &status) == 0 &&
                (status.state == 'Z' || status.state == 'X'))
                return 0;
        search->found = pid;
        search->killed++;
        (void)sys_pidfd_send_signal(pidfd, SIGKILL);
        return 0;
}

int sweep_end_leftovers(int proc_fd, Error *error) {
        const struct timespec pause = { .tv_nsec = 10L * 1000 * 1000 };
        Search search;
        int r;

        if (begin(proc_fd, &search, error) < 0)
                return -1;
        for (unsigned round = 0; round < SWEEP_ROUNDS_MAX; round++) {
                search.found = 0;
                r = process_visit_all(proc_fd, end_leftover, &search);
                if (r < 0)
                        return error_set(error, ERROR_OS, -r,
                                "cannot look for what an earlier launcher left");
                if (search.found == 0)
                        return 0;
                (void)nanosleep(&pause, NULL);
        }
        return error_set(
                error, ERROR_OS, 0, "process %d of an earlier launcher does not end", search.found);
}
