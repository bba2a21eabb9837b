/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Register: the socket over which the hook hands over containers, from outside of the pod.
 *
 * A connection brings one message and ends; only a peer that is not in our pid namespace is
 * listened to, which no process of the pod can be.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/message.h"

#define REGISTER_CONNECTIONS_MAX 8U
#define REGISTER_LIMIT_MS 5000

typedef struct Register {
        int listener;                              /* owned */
        int connections[REGISTER_CONNECTIONS_MAX]; /* owned; -1: free */
        int64_t deadlines[REGISTER_CONNECTIONS_MAX];
} Register;

#define REGISTER_EMPTY                                                                             \
        ((Register){ .listener = -1, .connections = { -1, -1, -1, -1, -1, -1, -1, -1 } })

int register_open(const char *directory, Register *ret_register, Error *error);
Register register_done(Register registration);

/* The listener is readable. 0, or -1: a peer was sent away, and why. */
int register_accept(Register *registration, Error *error);
/* Connection `index` is readable, and closed afterwards. 1: descriptors arrived, the caller's; 0:
 * nothing came of it; -1: something else came. */
int register_receive(Register *registration, size_t index, int fds[static MESSAGE_FDS_MAX],
        size_t *ret_fd_count, Error *error);
void register_drop_late(Register *registration, int64_t now);
