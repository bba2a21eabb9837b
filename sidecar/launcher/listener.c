/* SPDX-License-Identifier: Apache-2.0 */

/* The directory of the unix sockets is mounted by the hook, in the sidecar alone: who can reach
 * them is the host's root and this container. */
#include "sidecar/launcher/listener.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TYPE_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

static int bind_and_listen(int fd, const void *address, socklen_t size) {
        const int on = 1;

        /* a restarted launcher must not wait for the connections of the one before */
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                bind(fd, address, size) < 0 || listen(fd, LISTENER_BACKLOG) < 0)
                return -errno;
        return 0;
}

static int open_both_families(uint16_t port) {
        const struct sockaddr_in6 address = {
                .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT
        };
        cleanup_fd int fd = socket(AF_INET6, SOCK_STREAM | TYPE_FLAGS, 0);
        const int off = 0;
        int r;

        if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
                return -errno;
        r = bind_and_listen(fd, &address, sizeof(address));
        return r < 0 ? r : take_fd(fd);
}

static int open_ipv4(uint16_t port) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)
        };
        cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | TYPE_FLAGS, 0);
        int r;

        if (fd < 0)
                return -errno;
        r = bind_and_listen(fd, &address, sizeof(address));
        return r < 0 ? r : take_fd(fd);
}

int listener_open_tcp(uint16_t port, int *ret_fd, Error *error) {
        int fd = open_both_families(port);

        if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) /* a kernel or a pod without IPv6 */
                fd = open_ipv4(port);
        if (fd == -EADDRINUSE)
                return error_set(error, ERROR_OS, EADDRINUSE,
                        "port %u of the pod is taken: another container listens there; choose one "
                        "with --port",
                        port);
        if (fd < 0)
                return error_set(error, ERROR_OS, -fd, "cannot listen on port %u", port);
        *ret_fd = fd;
        return 0;
}

int listener_open_unix(
        const char *directory, const char *name, int type, int *ret_fd, Error *error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        cleanup_fd int fd = -1;
        mode_t before;
        int n, r;

        n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);
        if (n < 0 || (size_t)n >= sizeof(address.sun_path))
                return error_set(error, ERROR_INPUT, 0, "the path of socket '%s/%s' is too long",
                        directory, name);
        fd = socket(AF_UNIX, type | TYPE_FLAGS, 0);
        if (fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot make the socket '%s'", address.sun_path);
        if (unlink(address.sun_path) < 0 && errno != ENOENT)
                return error_set(error, ERROR_OS, errno, "cannot replace '%s'", address.sun_path);
        before = umask(0177);
        r = bind_and_listen(fd, &address, sizeof(address));
        (void)umask(before);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot listen at '%s'", address.sun_path);
        *ret_fd = take_fd(fd);
        return 0;
}
