/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who listens is asked of the kernel (SO_PEERCRED), not of a pid file. The socket is connected to
 * through /proc/self/fd, so that its path is resolved inside the node's root and may be longer than
 * a socket address holds.
 */
#include "hook/install/restart.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define POLL_MILLISECONDS 200
#define END_SECONDS 30
#define STAT_SIZE_MAX 4096U
#define STAT_START_FIELD 20 /* field 22 of /proc/PID/stat, counted behind the name */

/* 1: nobody listens. */
static int find_listener(int root, const char *socket_path, pid_t *ret_pid, Error *error) {
        cleanup_fd int place = sys_openat2_in_root(root, socket_path, O_PATH | O_CLOEXEC, 0);
        cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (place < 0 && errno == ENOENT)
                return 1;
        if (place < 0 || fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot open '%s' on the node", socket_path);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", place);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return errno == ECONNREFUSED ? 1
                                             : error_set(error, ERROR_OS, errno,
                                                       "cannot connect to '%s'", socket_path);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot find out who listens on '%s'", socket_path);
        if (peer.pid == 0)
                return error_set(error, ERROR_OS, 0,
                        "who listens on '%s' is outside our pid namespace: the installer needs "
                        "hostPID",
                        socket_path);
        *ret_pid = peer.pid;
        return 0;
}

/* Start of a process in clock ticks after boot. */
static int read_start(pid_t pid, uint64_t *ret_ticks, Error *error) {
        cleanup_free char *text = NULL;
        const char *field;
        char path[64];
        size_t size;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        if (file_read(AT_FDCWD, path, STAT_SIZE_MAX, &text, &size, error) < 0)
                return -1;
        field = strrchr(text, ')'); /* the name may hold blanks and brackets */
        for (int i = 0; field != NULL && i < STAT_START_FIELD; i++)
                field = strchr(field + 1, ' ');
        if (field == NULL ||
                !number_parse(field + 1, strcspn(field + 1, " "), UINT64_MAX, ret_ticks))
                return error_set(error, ERROR_OS, 0, "'%s' is not as proc(5) says", path);
        return 0;
}

int runtime_is_older(
        int root, const char *socket, struct timespec changed, bool *ret_stale, Error *error) {
        struct timespec now, since_boot;
        uint64_t ticks;
        pid_t pid;
        int r = find_listener(root, socket, &pid, error);

        if (r < 0)
                return -1;
        if (r > 0) { /* down: what starts next reads the new files */
                *ret_stale = false;
                return 0;
        }
        if (read_start(pid, &ticks, error) < 0)
                return -1;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)clock_gettime(CLOCK_BOOTTIME, &since_boot);
        /* in whole seconds, and within the same one it counts as older: a restart too many is
         * harmless */
        *ret_stale =
                now.tv_sec - since_boot.tv_sec + (time_t)(ticks / (uint64_t)sysconf(_SC_CLK_TCK)) <=
                changed.tv_sec;
        return 0;
}

static int end_process(pid_t pid, Error *error) {
        cleanup_fd int process = sys_pidfd_open(pid);
        struct pollfd ended = { .fd = process, .events = POLLIN };

        if (process < 0)
                return errno == ESRCH ? 0
                                      : error_set(error, ERROR_OS, errno, "cannot open process %d",
                                                (int)pid);
        if (sys_pidfd_send_signal(process, SIGTERM) < 0 && errno != ESRCH)
                return error_set(error, ERROR_OS, errno, "cannot end process %d", (int)pid);
        if (poll(&ended, 1, END_SECONDS * 1000) <= 0)
                return error_set(
                        error, ERROR_OS, ETIMEDOUT, "process %d did not end on SIGTERM", (int)pid);
        return 0;
}

int runtime_restart(int root, const char *socket, unsigned seconds, Error *error) {
        pid_t before = 0, now = 0;
        int r = find_listener(root, socket, &before, error);

        if (r < 0 || (r == 0 && end_process(before, error) < 0))
                return -1;
        for (unsigned tries = seconds * 1000 / POLL_MILLISECONDS; tries > 0; tries--) {
                r = find_listener(root, socket, &now, error);
                if (r < 0)
                        return -1;
                if (r == 0 && now != before)
                        return 0;
                (void)poll(NULL, 0, POLL_MILLISECONDS);
        }
        return error_set(error, ERROR_OS, ETIMEDOUT,
                "the runtime did not come back on '%s' within %u s: see its log on the node",
                socket, seconds);
}
