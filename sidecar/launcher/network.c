/* SPDX-License-Identifier: Apache-2.0 */

/*
 * There is no rule and no filter here: a namespace without any interface but loopback has no route,
 * so nothing that a session sends can leave, whatever protocol it is and whether or not anything of
 * ours is alive.
 */
#include "sidecar/launcher/network.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "sidecar/launcher/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int raise_loopback(Error *error) {
        cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo" };

        if (fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot open a socket in the sandbox network");
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot read the state of the sandbox network's loopback");
        request.ifr_flags |= IFF_UP;
        if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot bring up the sandbox network's loopback");
        return 0;
}

static int open_own(int proc_fd, int *ret_fd, Error *error) {
        int fd = openat(proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot open the network namespace of this process");
        *ret_fd = fd;
        return 0;
}

int network_create(int proc_fd, int *ret_fd, Error *error) {
        cleanup_fd int pod = -1;
        cleanup_fd int sandbox = -1;
        int r;

        if (open_own(proc_fd, &pod, error) < 0)
                return -1;
        if (unshare(CLONE_NEWNET) < 0)
                return error_set(error, ERROR_OS, errno, "cannot create the sandbox network");
        r = raise_loopback(error);
        if (r == 0)
                r = netlink_make_everything_local(error);
        if (r == 0)
                r = open_own(proc_fd, &sandbox, error);
        if (setns(pod, CLONE_NEWNET) <
                0) /* the caller ends: it must not serve from inside the sandbox */
                return error_set(error, ERROR_OS, errno, "cannot return to the pod's network");
        if (r < 0)
                return -1;
        *ret_fd = take_fd(sandbox);
        return 0;
}

/* A socket belongs to the namespace in which it was made, for good: the visit lasts for that one
 * call. */
int network_socket(int proc_fd, int network_fd, int domain, int type, int protocol, int *ret_fd,
        Error *error) {
        cleanup_fd int pod = -1;
        cleanup_fd int fd = -1;
        int code;

        if (open_own(proc_fd, &pod, error) < 0)
                return -1;
        if (setns(network_fd, CLONE_NEWNET) < 0)
                return error_set(error, ERROR_OS, errno, "cannot enter the sandbox network");
        fd = socket(domain, type | SOCK_CLOEXEC, protocol);
        code = errno;
        if (setns(pod, CLONE_NEWNET) < 0)
                abort(); /* the launcher must not go on inside the sandbox: its restart ends what it
                            leaves */
        if (fd < 0)
                return error_set(
                        error, ERROR_OS, code, "cannot open a socket in the sandbox network");
        *ret_fd = take_fd(fd);
        return 0;
}

int network_connect(int proc_fd, int network_fd, uint16_t port, int *ret_fd, Error *error) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        cleanup_fd int fd = -1;

        if (port == 0)
                return error_set(error, ERROR_INPUT, 0, "port 0 cannot be connected to");
        if (network_socket(
                    proc_fd, network_fd, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &fd, error) < 0)
                return -1;
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
                errno != EINPROGRESS)
                return error_set(
                        error, ERROR_PEER, errno, "cannot connect to port %u of the sandbox", port);
        *ret_fd = take_fd(fd);
        return 0;
}
