/* SPDX-License-Identifier: Apache-2.0 */

#include "base/fd.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int fd_close(int fd) {
        int saved = errno;

        if (fd >= 0)
                (void)close(fd);
        errno = saved;
        return -1;
}

void cleanup_closep(const int *fd) {
        (void)fd_close(*fd);
}

ssize_t fd_read_full(int fd, void *data, size_t size) {
        size_t have = 0;

        while (have < size) {
                ssize_t n = read(fd, (char *)data + have, size - have);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                have += (size_t)n;
        }
        return (ssize_t)have;
}

int fd_write_full(int fd, const void *data, size_t size) {
        size_t done = 0;

        while (done < size) {
                ssize_t n = write(fd, (const char *)data + done, size - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                done += (size_t)n;
        }
        return 0;
}

int fd_set_nonblocking(int fd) {
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

int fd_set_cloexec(int fd, int on) {
        if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0)
                return -errno;
        return 0;
}
