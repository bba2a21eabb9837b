/* SPDX-License-Identifier: Apache-2.0 */

#include "base/file.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 4096U

int file_read_fd(
        int fd, const char *name, size_t limit, char **ret_data, size_t *ret_size, Error *error) {
        cleanup_free char *data = NULL;
        size_t size = 0, room = 0;

        for (;;) {
                ssize_t n;

                if (size + 1 >= room) { /* one byte stays for the NUL */
                        char *grown;

                        room = room == 0 ? READ_STEP : room * 2;
                        grown = realloc(data, room);
                        if (grown == NULL)
                                return error_set(error, ERROR_OS, ENOMEM, "cannot read '%s'", name);
                        data = grown;
                }
                n = fd_read_full(fd, data + size, room - size - 1);
                if (n < 0)
                        return error_set(error, ERROR_OS, (int)-n, "cannot read '%s'", name);
                if (n == 0)
                        break;
                size += (size_t)n;
                if (size > limit)
                        return error_set(
                                error, ERROR_LIMIT, 0, "'%s' is larger than %zu bytes", name, limit);
        }
        data[size] = '\0';
        *ret_data = take_ptr(data);
        *ret_size = size;
        return 0;
}

int file_read(
        int dir_fd, const char *path, size_t limit, char **ret_data, size_t *ret_size, Error *error) {
        cleanup_fd int fd = -1;
        struct stat status;

        /* O_NONBLOCK: opening a FIFO that somebody put there must not wait for a writer */
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", path);
        if (fstat(fd, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot stat '%s'", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_INPUT, 0, "'%s' is not a regular file", path);
        return file_read_fd(fd, path, limit, ret_data, ret_size, error);
}

int file_write_atomic(
        int dir_fd, const char *path, const void *data, size_t size, mode_t mode, Error *error) {
        char temporary[PATH_MAX];
        cleanup_fd int fd = -1;
        int r;

        r = snprintf(temporary, sizeof(temporary), "%s.%d.new", path, (int)getpid());
        if (r < 0 || (size_t)r >= sizeof(temporary))
                return error_set(error, ERROR_LIMIT, 0, "'%s' is too long a path", path);

        (void)unlinkat(dir_fd, temporary, 0); /* left by an earlier process of the same number */
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot create '%s'", temporary);
        r = fd_write_full(fd, data, size);
        if (r == 0 && renameat(dir_fd, temporary, dir_fd, path) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(dir_fd, temporary, 0);
                return error_set(error, ERROR_OS, -r, "cannot write '%s'", path);
        }
        return 0;
}
