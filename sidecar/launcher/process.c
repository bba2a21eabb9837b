/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads of /proc. The names in it are chosen by hostile programs: field 2 of `stat` may contain
 * blanks and parentheses, so fields are counted from the last ')'.
 */
#include "sidecar/launcher/process.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int read_text(int proc_fd, const char *path, char *text, size_t room) {
        cleanup_fd int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = fd_read_full(fd, text, room - 1);
        if (n < 0)
                return (int)n;
        text[n] = '\0';
        return 0;
}

/* Field `wanted` of a stat line whose field 3 starts at `field`. */
static bool stat_number(const char *field, unsigned wanted, uint64_t *ret_value) {
        for (unsigned at = 3; at < wanted; at++) {
                field = strchr(field, ' ');
                if (field == NULL)
                        return false;
                field++;
        }
        return number_parse(field, strcspn(field, " \n"), UINT64_MAX, ret_value);
}

static int read_status(int directory, const char *path, ProcessStatus *ret_status) {
        char text[1024]; /* 52 numbers and a name of at most 64 bytes */
        uint64_t parent, start_time;
        const char *end;
        int r;

        r = read_text(directory, path, text, sizeof(text));
        if (r < 0)
                return r;
        end = strrchr(text, ')');
        if (end == NULL || end[1] != ' ' || end[2] == '\0')
                return -EBADMSG;
        if (!stat_number(end + 2, 4, &parent) || !stat_number(end + 2, 22, &start_time))
                return -EBADMSG;

        *ret_status = (ProcessStatus){
                .parent = (pid_t)parent, .state = end[2], .start_time = start_time
        };
        return 0;
}

int process_status(int proc_fd, pid_t pid, ProcessStatus *ret_status) {
        char path[32];

        (void)snprintf(path, sizeof(path), "%d/stat", pid);
        return read_status(proc_fd, path, ret_status);
}

int process_status_at(int directory, ProcessStatus *ret_status) {
        return read_status(directory, "stat", ret_status);
}

int process_inode_at(int directory, const char *name, RecordInode *ret_inode) {
        struct stat about;

        if (fstatat(directory, name, &about, 0) < 0)
                return -errno;
        *ret_inode = (RecordInode){ .device = about.st_dev, .inode = about.st_ino };
        return 0;
}

int process_inode(int proc_fd, pid_t pid, const char *name, RecordInode *ret_inode) {
        char path[64];

        (void)snprintf(path, sizeof(path), "%d/%s", pid, name);
        return process_inode_at(proc_fd, path, ret_inode);
}

bool process_same_inode(RecordInode one, RecordInode other) {
        return one.device == other.device && one.inode == other.inode;
}

int process_of_pidfd(int proc_fd, int pidfd, pid_t *ret_pid) {
        char path[64], text[512];
        const char *line;
        uint64_t pid;
        int r;

        (void)snprintf(path, sizeof(path), "self/fdinfo/%d", pidfd);
        r = read_text(proc_fd, path, text, sizeof(text));
        if (r < 0)
                return r;
        line = strstr(text, "\nPid:\t");
        if (line == NULL)
                return -EBADF;
        line += strlen("\nPid:\t");
        /* "-1": it is dead; "0": it is in a pid namespace that this proc mount does not show */
        if (!number_parse(line, strcspn(line, "\n"), INT32_MAX, &pid) || pid == 0)
                return -ESRCH;
        *ret_pid = (pid_t)pid;
        return 0;
}

int process_visit_all(int proc_fd, ProcessVisitor *visit, void *context) {
        int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *entry;
        DIR *directory;
        uint64_t pid;
        int r = 0;

        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (directory == NULL) {
                r = -errno;
                (void)fd_close(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(directory)) != NULL)
                if (number_parse(entry->d_name, strlen(entry->d_name), INT32_MAX, &pid) && pid > 0)
                        r = visit(context, (pid_t)pid);
        (void)closedir(directory);
        return r;
}
