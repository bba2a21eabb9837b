/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/socket.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

bool socket_address_read(
        const struct sockaddr_storage *storage, Address *ret_address, uint16_t *ret_port) {
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;

        if (storage->ss_family == AF_INET) {
                memcpy(&ipv4, storage, sizeof(ipv4));
                *ret_address = address_from_bytes(&ipv4.sin_addr, sizeof(ipv4.sin_addr));
                *ret_port = ntohs(ipv4.sin_port);
                return true;
        }
        if (storage->ss_family == AF_INET6) {
                memcpy(&ipv6, storage, sizeof(ipv6));
                *ret_address = address_from_bytes(&ipv6.sin6_addr, sizeof(ipv6.sin6_addr));
                *ret_port = ntohs(ipv6.sin6_port);
                return true;
        }
        return false;
}

socklen_t socket_address_write(
        const Address *address, uint16_t port, struct sockaddr_storage *ret_storage) {
        struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        *ret_storage = (struct sockaddr_storage){ 0 };
        if (address->family == 4) {
                memcpy(&ipv4.sin_addr, address->bytes, sizeof(ipv4.sin_addr));
                memcpy(ret_storage, &ipv4, sizeof(ipv4));
                return sizeof(ipv4);
        }
        memcpy(&ipv6.sin6_addr, address->bytes, sizeof(ipv6.sin6_addr));
        memcpy(ret_storage, &ipv6, sizeof(ipv6));
        return sizeof(ipv6);
}

bool socket_local(int fd, Address *ret_address, uint16_t *ret_port) {
        struct sockaddr_storage storage = { 0 };
        socklen_t size = sizeof(storage);

        return getsockname(fd, (struct sockaddr *)&storage, &size) == 0 &&
               socket_address_read(&storage, ret_address, ret_port);
}

bool socket_remote(int fd, Address *ret_address, uint16_t *ret_port) {
        struct sockaddr_storage storage = { 0 };
        socklen_t size = sizeof(storage);

        return getpeername(fd, (struct sockaddr *)&storage, &size) == 0 &&
               socket_address_read(&storage, ret_address, ret_port);
}

int socket_connect(const Address *address, uint16_t port) {
        struct sockaddr_storage storage;
        const socklen_t size = socket_address_write(address, port, &storage);
        int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
        int code;

        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&storage, size) == 0 || errno == EINPROGRESS)
                return fd;
        code = errno;
        (void)fd_close(fd);
        return -code;
}

void socket_no_delay(int fd) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

void socket_reset_on_close(int fd) {
        const struct linger now = { .l_onoff = 1 };

        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

bool socket_has_ended(int fd) {
        struct pollfd watched = { .fd = fd, .events = POLLRDHUP };

        return poll(&watched, 1, 0) > 0;
}
