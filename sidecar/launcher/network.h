/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The sandbox network: a network namespace with a loopback interface, on which every address is
 * local, and no way out. It lives as long as its descriptor is open, sessions or not, so every
 * session of the pod is in the same one.
 */
#include <stdint.h>

#include "base/error.h"

/* Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. *ret_fd is for setns() and belongs to the caller, who is
 * back in the pod's network afterwards. */
int network_create(int proc_fd, int *ret_fd, Error *error);

/* A socket of that namespace, for good, as socket(2) makes it; close-on-exec. */
int network_socket(
        int proc_fd, int network_fd, int domain, int type, int protocol, int *ret_fd, Error *error);

/* A non-blocking TCP socket in the namespace of network_fd, on its way to 127.0.0.1:port: *ret_fd,
 * the caller's. Whether it arrives is said by SO_ERROR once it is writable. */
int network_connect(int proc_fd, int network_fd, uint16_t port, int *ret_fd, Error *error);
