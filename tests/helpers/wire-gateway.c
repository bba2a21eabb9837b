/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A gateway that decides nothing: a test connects to the unix socket and says to the launcher,
 * message by message, what it likes, and gets what the launcher answers with its descriptors.
 * Stream framing: u32 size, message; descriptors ride on the size.
 *
 * One client at a time; when it leaves, the sessions it asked for go on until the launcher is told
 * otherwise.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/message.h"
#include "sidecar/wire/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static WireMessage message;

/* The last word on the targets, for whoever connects next; it may come at any time. */
static uint8_t targets[MESSAGE_SIZE_MAX];
static size_t targets_size;

static void remember_targets(size_t size) {
        if (message.bytes[0] != WIRE_TARGETS)
                return;
        memcpy(targets, message.bytes, size);
        targets_size = size;
}

static int serve_until_start(void) {
        int listener = -1;

        while (wire_receive(WIRE_CONTROL_FD, &message) == 1) {
                const char *name = "";
                Error error;
                int fd = -1;

                remember_targets(message.fields.size);

                if (message.header.type == WIRE_START)
                        return listener;
                if (message.header.type == WIRE_GIVE &&
                        wire_give_read(&message, &name, &fd, &error) == 0 &&
                        strcmp(name, "listener-unix") == 0)
                        listener = fd;
        }
        return -1;
}

static int to_client(int client, const void *data, size_t size, const int *fds, size_t fd_count) {
        uint32_t length = (uint32_t)size;

        if (message_send(client, &length, sizeof(length), fds, fd_count) < 0)
                return -1;
        return fd_write_full(client, data, size);
}

static int from_client(int client) {
        static uint8_t bytes[MESSAGE_SIZE_MAX];
        uint32_t length;

        if (fd_read_full(client, &length, sizeof(length)) != (ssize_t)sizeof(length) ||
                length > sizeof(bytes) || fd_read_full(client, bytes, length) != (ssize_t)length)
                return -1;
        return message_send(WIRE_CONTROL_FD, bytes, length, NULL, 0);
}

static void relay(int client) {
        struct pollfd watched[] = { { .fd = client, .events = POLLIN },
                { .fd = WIRE_CONTROL_FD, .events = POLLIN } };

        if (targets_size > 0 && to_client(client, targets, targets_size, NULL, 0) < 0)
                return;
        for (;;) {
                ssize_t n;

                if (poll(watched, 2, -1) < 0)
                        return;
                if (watched[0].revents != 0 && from_client(client) < 0)
                        return;
                if (watched[1].revents == 0)
                        continue;
                n = message_receive(WIRE_CONTROL_FD, message.bytes, sizeof(message.bytes),
                        message.fds, &message.fd_count);
                if (n <= 0)
                        _exit(0); /* the launcher has gone */
                remember_targets((size_t)n);
                if (to_client(client, message.bytes, (size_t)n, message.fds, message.fd_count) < 0)
                        n = -1;
                message_close_fds(message.fds, message.fd_count);
                if (n < 0)
                        return;
        }
}

int main(void) {
        int listener;

        (void)prctl(PR_SET_DUMPABLE, 0);
        listener = serve_until_start();
        if (listener < 0 || wire_signal(WIRE_CONTROL_FD, WIRE_READY, 0) < 0)
                return EXIT_FAILURE;
        for (;;) {
                struct pollfd watched[] = { { .fd = listener, .events = POLLIN },
                        { .fd = WIRE_CONTROL_FD, .events = POLLIN } };
                int client;
                ssize_t n;

                (void)poll(watched, 2, -1);
                if (watched[1].revents != 0) {
                        n = message_receive(WIRE_CONTROL_FD, message.bytes, sizeof(message.bytes),
                                message.fds, &message.fd_count);
                        if (n <= 0)
                                return EXIT_SUCCESS;
                        message_close_fds(message.fds, message.fd_count);
                        remember_targets((size_t)n);
                        continue;
                }
                client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (client >= 0)
                        relay(client);
                (void)fd_close(client);
        }
}
