/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The listening sockets of the sidecar. The launcher makes them once and keeps them for life; a
 * role gets a duplicate each time it starts, so nobody can take a port while a role is away, and a
 * connection that comes meanwhile waits.
 */
#include <stdint.h>

#include "base/error.h"

#define LISTENER_BACKLOG 128

/* TCP on every address of the pod, both families where the kernel has both. *ret_fd is the
 * caller's, and non-blocking. */
int listener_open_tcp(uint16_t port, int *ret_fd, Error *error);
/* A unix socket of the given type (SOCK_STREAM, SOCK_SEQPACKET) at directory/name, mode 0600, of
 * the calling user. What was there before is replaced: one that a dead launcher left. */
int listener_open_unix(
        const char *directory, const char *name, int type, int *ret_fd, Error *error);
