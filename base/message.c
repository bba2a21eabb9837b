/* SPDX-License-Identifier: Apache-2.0 */

#include "base/message.h"

#include "base/fd.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

typedef union Control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
} Control;

int message_send(int socket, const void *data, size_t size, const int *fds, size_t fd_count) {
        Control control = { 0 };
        struct iovec bytes = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
        struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };
        ssize_t n;

        if (size == 0 || size > MESSAGE_SIZE_MAX || fd_count > MESSAGE_FDS_MAX)
                return -EMSGSIZE;
        if (fd_count > 0) {
                struct cmsghdr *item = &control.align;

                item->cmsg_level = SOL_SOCKET;
                item->cmsg_type = SCM_RIGHTS;
                item->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
                memcpy(CMSG_DATA(item), fds, fd_count * sizeof(int));
                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        }
        do
                n = sendmsg(socket, &header, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

static size_t take_fds(struct msghdr *header, int *fds) {
        size_t count = 0;

        for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item != NULL; item = CMSG_NXTHDR(header, item)) {
                if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
                        continue;
                count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                memcpy(fds, CMSG_DATA(item), count * sizeof(int));
        }
        return count;
}

ssize_t message_receive(
        int socket, void *data, size_t room, int fds[static MESSAGE_FDS_MAX], size_t *ret_fd_count) {
        Control control = { 0 };
        struct iovec bytes = { .iov_base = data, .iov_len = room };
        struct msghdr header = {
                .msg_iov = &bytes,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        size_t count;
        ssize_t n;

        do
                n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        count = take_fds(&header, fds);
        if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
                message_close_fds(fds, count);
                return -EMSGSIZE;
        }
        *ret_fd_count = count;
        return n;
}

void message_close_fds(int *fds, size_t fd_count) {
        for (size_t i = 0; i < fd_count; i++)
                fds[i] = fd_close(fds[i]);
}
