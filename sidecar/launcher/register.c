/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The socket lies in a directory that only this container and the node have mounted. Should a
 * process of the pod reach it all the same, the kernel says that its pid is one of ours
 * (SO_PEERCRED gives 0 for a process that our pid namespace does not contain).
 */
#include "sidecar/launcher/register.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "sidecar/launcher/clock.h"
#include "sidecar/launcher/listener.h"
#include "sidecar/wire/record.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int register_open(const char *directory, Register *ret_register, Error *error) {
        Register registration = REGISTER_EMPTY;

        if (listener_open_unix(directory, RECORD_SOCKET_NAME, SOCK_SEQPACKET,
                    &registration.listener, error) < 0)
                return -1;
        *ret_register = registration;
        return 0;
}

Register register_done(Register registration) {
        (void)fd_close(registration.listener);
        message_close_fds(registration.connections, REGISTER_CONNECTIONS_MAX);
        return REGISTER_EMPTY;
}

static size_t free_place(const Register *registration) {
        size_t index = 0;

        while (index < REGISTER_CONNECTIONS_MAX && registration->connections[index] >= 0)
                index++;
        return index;
}

int register_accept(Register *registration, Error *error) {
        cleanup_fd int fd =
                accept4(registration->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        size_t index = free_place(registration);
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (fd < 0)
                return errno == EAGAIN || errno == ECONNABORTED
                               ? 0
                               : error_set(error, ERROR_OS, errno,
                                         "cannot accept a hook's connection");
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return error_set(error, ERROR_OS, errno, "cannot tell who connects");
        if (peer.pid != 0)
                return error_set(error, ERROR_DENIED, 0,
                        "process %d of this pod tried to hand over a container", peer.pid);
        if (index == REGISTER_CONNECTIONS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "more than %u hooks are connected at once",
                        REGISTER_CONNECTIONS_MAX);
        registration->connections[index] = take_fd(fd);
        registration->deadlines[index] = clock_milliseconds() + REGISTER_LIMIT_MS;
        return 0;
}

int register_receive(Register *registration, size_t index, int fds[static MESSAGE_FDS_MAX],
        size_t *ret_fd_count, Error *error) {
        cleanup_fd int fd = take_fd(registration->connections[index]);
        uint8_t bytes[sizeof(uint32_t)];
        Unpacker fields;
        ssize_t n;

        n = message_receive(fd, bytes, sizeof(bytes), fds, ret_fd_count);
        if (n == 0)
                return 0;
        if (n < 0)
                return error_set(error, ERROR_PEER, (int)-n, "a hook's message could not be read");
        fields = unpacker(bytes, (size_t)n);
        if (unpack_u32(&fields) != RECORD_MAGIC || !unpack_end(&fields)) {
                message_close_fds(fds, *ret_fd_count);
                return error_set(
                        error, ERROR_PEER, 0, "a hook of another version handed over a container");
        }
        return 1;
}

void register_drop_late(Register *registration, int64_t now) {
        for (size_t i = 0; i < REGISTER_CONNECTIONS_MAX; i++)
                if (registration->connections[i] >= 0 && now >= registration->deadlines[i])
                        registration->connections[i] = fd_close(registration->connections[i]);
}
