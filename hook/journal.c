/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/journal.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "hook.log"

static int open_journal(int directory) {
        struct stat status;
        int fd = openat(
                directory, FILE_NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0 || fstat(fd, &status) < 0 || status.st_size < (off_t)JOURNAL_SIZE_MAX)
                return fd;
        (void)fd_close(fd);
        (void)renameat(directory, FILE_NAME, directory, FILE_NAME ".1");
        return openat(
                directory, FILE_NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void journal_add(const char *run_directory, const char *level, const char *text) {
        cleanup_fd int directory = -1, fd = -1;
        char line[ERROR_TEXT_MAX + 64];
        struct timespec now;
        struct tm utc;
        size_t size;

        (void)mkdir(run_directory, 0700);
        directory = open(run_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0 ||
                gmtime_r(&now.tv_sec, &utc) == NULL)
                return;
        fd = open_journal(directory);
        size = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%SZ ", &utc);
        /* one write, so that lines of several hooks never mix */
        size += (size_t)snprintf(line + size, sizeof(line) - size, "%s: %s\n", level, text);
        if (fd >= 0)
                (void)fd_write_full(fd, line, size < sizeof(line) ? size : sizeof(line) - 1);
}
