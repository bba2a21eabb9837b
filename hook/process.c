/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Everything is read through the process' /proc directory. That directory answers ESRCH once the
 * process is gone, so one test that the pidfd still lives, made after both were opened, ties the
 * two together.
 */
#include "hook/process.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/number.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PROC_FILE_MAX ((size_t)64 * 1024)
#define START_TIME_FIELD 22U /* proc(5); the name in field 2 may hold blanks and parentheses */

static bool has_ended(int pidfd) {
        struct pollfd entry = { .fd = pidfd, .events = POLLIN };

        return poll(&entry, 1, 0) != 0; /* an error counts as ended too */
}

bool process_parse_start_time(const char *stat, uint64_t *ret_start_time) {
        const char *at = strrchr(stat, ')');

        if (at == NULL)
                return false;
        at++;
        for (unsigned field = 3; field < START_TIME_FIELD; field++) {
                if (*at != ' ')
                        return false;
                at += 1 + strcspn(at + 1, " \n");
        }
        if (*at != ' ')
                return false;
        at++;
        return number_parse(at, strcspn(at, " \n"), UINT64_MAX, ret_start_time);
}

static int read_start_time(const Process *process, uint64_t *ret_start_time, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;

        if (file_read(process->directory, "stat", PROC_FILE_MAX, &text, &size, error) < 0)
                return error_context(error, "process %u", process->pid);
        if (!process_parse_start_time(text, ret_start_time))
                return error_set(error, ERROR_OS, EPROTO, "process %u: malformed /proc/PID/stat",
                        process->pid);
        return 0;
}

int process_open(int proc, uint32_t pid, Process *ret_process, Error *error) {
        cleanup(process_closep) Process process = PROCESS_NONE;
        char name[16];

        (void)snprintf(name, sizeof(name), "%u", pid);
        process.pid = pid;
        process.pidfd = sys_pidfd_open((pid_t)pid);
        if (process.pidfd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open process %u", pid);
        process.directory = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process.directory < 0)
                return error_set(error, ERROR_OS, errno, "cannot open /proc/%u", pid);
        if (read_start_time(&process, &process.start_time, error) < 0)
                return -1;
        if (has_ended(process.pidfd))
                return error_set(error, ERROR_OS, ESRCH, "process %u has ended", pid);

        *ret_process = take(process, PROCESS_NONE);
        return 0;
}

int process_open_known(
        int proc, uint32_t pid, uint64_t start_time, Process *ret_process, Error *error) {
        cleanup(process_closep) Process process = PROCESS_NONE;
        Error reason = { 0 };

        if (process_open(proc, pid, &process, &reason) < 0) {
                if (reason.code == ESRCH || reason.code == ENOENT)
                        return 1;
                if (error != NULL)
                        *error = reason;
                return -1;
        }
        if (process.start_time != start_time)
                return 1;
        *ret_process = take(process, PROCESS_NONE);
        return 0;
}

Process process_close(Process process) {
        (void)fd_close(process.pidfd);
        (void)fd_close(process.directory);
        return PROCESS_NONE;
}

int inode_look(int directory, const char *path, RecordInode *ret_inode) {
        struct stat status;

        if (fstatat(directory, path, &status, 0) < 0)
                return -errno;
        *ret_inode = (RecordInode){ .device = status.st_dev, .inode = status.st_ino };
        return 0;
}

int process_inode(const Process *process, const char *link, RecordInode *ret_inode, Error *error) {
        int r = inode_look(process->directory, link, ret_inode);

        if (r < 0)
                return error_set(
                        error, ERROR_OS, -r, "process %u: cannot look at '%s'", process->pid, link);
        return 0;
}

bool inode_equal(RecordInode a, RecordInode b) {
        return a.device == b.device && a.inode == b.inode;
}

/* One number of an id map's line: blanks, then digits. */
static bool next_number(const char **at, uint32_t *ret) {
        uint64_t value;
        size_t length;

        *at += strspn(*at, " ");
        length = strcspn(*at, " \n");
        if (!number_parse(*at, length, UINT32_MAX, &value))
                return false;
        *ret = (uint32_t)value;
        *at += length;
        return true;
}

bool id_map_parse(const char *text, IdMap *ret_map) {
        uint32_t count = 0;

        for (const char *at = text; *at != '\0'; count++) {
                if (count == ID_MAP_MAX || !next_number(&at, &ret_map->extents[count].inside) ||
                        !next_number(&at, &ret_map->extents[count].outside) ||
                        !next_number(&at, &ret_map->extents[count].length) || *at != '\n')
                        return false;
                at++;
        }
        ret_map->count = count;
        return true;
}

int process_id_map(const Process *process, const char *file, IdMap *ret_map, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;

        if (file_read(process->directory, file, PROC_FILE_MAX, &text, &size, error) < 0)
                return error_context(error, "process %u", process->pid);
        if (!id_map_parse(text, ret_map))
                return error_set(
                        error, ERROR_OS, EPROTO, "process %u: malformed %s", process->pid, file);
        return 0;
}

bool id_map_outside(const IdMap *map, uint32_t inside, uint32_t *ret_outside) {
        for (uint32_t i = 0; i < map->count; i++) {
                if (inside < map->extents[i].inside ||
                        inside - map->extents[i].inside >= map->extents[i].length)
                        continue;
                *ret_outside = map->extents[i].outside + (inside - map->extents[i].inside);
                return true;
        }
        return false;
}
