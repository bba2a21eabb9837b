/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The few things that only netlink can do: an address and routes on the sandbox network's loopback
 * (rtnetlink), and which inode a connection's socket has (sock_diag). Each is one request and one
 * answer.
 */
#include <stdint.h>

#include "base/error.h"
#include "sidecar/wire/network.h"

/* In the network namespace of the caller: every address is local ("local 0.0.0.0/0 dev lo src
 * 127.0.0.1", "local ::/0 dev lo src ::1"), and loopback has 192.0.2.1 (TEST-NET-1) too, because
 * getaddrinfo with AI_ADDRCONFIG answers nothing on a host whose only IPv4 address is 127.0.0.1.
 * The source address keeps a connection to a closed port from meeting itself. Needs CAP_NET_ADMIN.
 */
int netlink_make_everything_local(Error *error);

/* A socket for netlink_socket_inode(), of the caller's network namespace for good. */
int netlink_open_diagnosis(int *ret_fd, Error *error);
/* The inode of the TCP socket with these two ends. 0; -ENOENT when there is none, or nobody holds
 * it any more; or another -errno. Constant time: the kernel looks up the one socket in its hash. */
int netlink_socket_inode(
        int diagnosis_fd, const WireSocket *local, const WireSocket *remote, uint32_t *ret_inode);
