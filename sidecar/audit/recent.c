/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The directory belongs to the launcher's uid, and so may somebody in the sidecar's container:
 * names in it are believed no more than any other. A file is made anew or not at all (O_EXCL
 * follows no link), and who removes it gets another.
 */
#include "sidecar/audit/recent.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int begin_file(AuditRecent *recent) {
        recent->file = fd_close(recent->file);
        recent->size = 0;
        (void)renameat(
                recent->directory, AUDIT_RECENT_NAME, recent->directory, AUDIT_RECENT_OLD_NAME);
        recent->file = openat(recent->directory, AUDIT_RECENT_NAME,
                O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
        return recent->file < 0 ? -errno : 0;
}

int audit_recent_open(const char *directory, AuditRecent *ret_recent, Error *error) {
        cleanup(audit_recent_donep) AuditRecent recent = AUDIT_RECENT_NONE;
        int r;

        recent.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (recent.directory < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", directory);
        r = begin_file(&recent);
        if (r < 0)
                return error_set(
                        error, ERROR_OS, -r, "cannot make '%s/%s'", directory, AUDIT_RECENT_NAME);
        *ret_recent = recent;
        recent = (AuditRecent)AUDIT_RECENT_NONE;
        return 0;
}

static bool is_there(const AuditRecent *recent) {
        struct stat status;

        return recent->file >= 0 && fstat(recent->file, &status) == 0 && status.st_nlink > 0;
}

void audit_recent_add(AuditRecent *recent, const char *line, size_t size) {
        ssize_t written;

        if ((!is_there(recent) || recent->size + size > AUDIT_RECENT_SIZE) &&
                begin_file(recent) < 0)
                return;
        written = write(recent->file, line, size);
        if (written > 0)
                recent->size += (size_t)written;
        if (written != (ssize_t)size) /* the next line begins a file of its own */
                recent->size = AUDIT_RECENT_SIZE;
}

void audit_recent_donep(AuditRecent *recent) {
        recent->directory = fd_close(recent->directory);
        recent->file = fd_close(recent->file);
}
