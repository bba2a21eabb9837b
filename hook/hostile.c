/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/hostile.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int hostile_read(int proc, int directory, const char *path, uint64_t resolve, size_t limit,
        char **ret_data, size_t *ret_size, Error *error) {
        cleanup_fd int place = -1, fd = -1;
        struct stat status;
        char link[32];

        /* O_PATH opens nothing: a device does not notice, a FIFO does not wait */
        place = sys_openat2(directory, path, O_PATH | O_CLOEXEC, 0, resolve);
        if (place < 0 && errno == ENOENT)
                return HOSTILE_MISSING;
        if (place < 0 && errno == EXDEV)
                return error_set(error, ERROR_INPUT, 0,
                        "'%s' leads to another file system than the one it should be on", path);
        if (place < 0 || fstat(place, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_INPUT, 0, "'%s' is not a regular file", path);
        (void)snprintf(link, sizeof(link), "self/fd/%d", place);
        fd = openat(proc, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot read '%s'", path);
        return file_read_fd(fd, path, limit, ret_data, ret_size, error);
}
