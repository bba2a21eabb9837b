/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One SEQPACKET message with file descriptors. The bytes are a flat record (base/pack.h). */
#include <stddef.h>
#include <sys/types.h>

/* Above the 4 KiB that audit records have and the 128 KiB of arguments a session may have; well below the smallest
 * net.core.wmem_max a stock kernel has (208 KiB), which bounds one AF_UNIX message. */
#define MESSAGE_SIZE_MAX (160U * 1024U)
#define MESSAGE_FDS_MAX 24U /* the kernel's own limit is 253; a v1 node has at most 14 cgroup hierarchies */

/* Sends all of it or nothing: 0, or -errno (EAGAIN on a full non-blocking socket, EPIPE when nobody listens). Never raises SIGPIPE.
 * The descriptors stay the caller's. */
int message_send(int socket, const void *data, size_t size, const int *fds, size_t fd_count);

/* Receives one message into data. Returns its size, 0 when the peer has closed, or -errno. Descriptors arrive O_CLOEXEC and belong to
 * the caller: *ret_fd_count of them in fds (room for MESSAGE_FDS_MAX). A message that was cut, or that brought more descriptors than fit, is
 * -EMSGSIZE and its descriptors are closed. An empty message cannot be told from a close and is never sent. */
ssize_t message_receive(int socket, void *data, size_t room, int fds[static MESSAGE_FDS_MAX], size_t *ret_fd_count);

/* Closes what message_receive() brought. */
void message_close_fds(int *fds, size_t fd_count);
