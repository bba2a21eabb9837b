/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/owner.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/syscalls.h"
#include "sidecar/launcher/netlink.h"
#include "sidecar/launcher/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEWEST_FIRST 3         /* of the pids given out last, before others are tried */
#define NEWEST_MAX 24          /* pids below the last one given out */
#define CHILDREN_MAX 64U       /* that are looked at for sharing a socket */
#define DESCRIPTORS_MAX 65536U /* of one process, that are looked at */

int owner_prepare(OwnerFinder *finder, Error *error) {
        struct stat about;

        /* All sockets are inodes of one file system. */
        if (fstat(finder->diagnosis[WIRE_NETWORK_POD], &about) < 0)
                return error_set(error, ERROR_OS, errno, "cannot look at a socket");
        finder->socket_device = about.st_dev;
        return 0;
}

/* ---- who holds a socket ---- */

static bool is_socket(const OwnerFinder *finder, int directory, const char *name, uint32_t inode) {
        struct stat about;

        return fstatat(directory, name, &about, 0) == 0 && about.st_ino == inode &&
               about.st_dev == finder->socket_device;
}

static bool holds(const OwnerFinder *finder, pid_t pid, uint32_t inode) {
        char path[32];
        struct dirent *entry;
        DIR *directory;
        bool found = false;
        int fd;

        (void)snprintf(path, sizeof(path), "%d/fd", pid);
        fd = openat(finder->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return false;
        directory = fdopendir(fd);
        if (directory == NULL) {
                (void)fd_close(fd);
                return false;
        }
        for (unsigned i = 0; !found && i < DESCRIPTORS_MAX && (entry = readdir(directory)) != NULL;
                i++)
                found = entry->d_name[0] != '.' && is_socket(finder, fd, entry->d_name, inode);
        (void)closedir(directory);
        return found;
}

static size_t read_text(int proc_fd, const char *path, char *text, size_t room) {
        cleanup_fd int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, room - 1);

        text[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t)n : 0;
}

/* The last pid that was given out in our pid namespace: the last field of /proc/loadavg. */
static pid_t last_pid(int proc_fd) {
        char text[128];
        const char *field;
        uint64_t pid;

        (void)read_text(proc_fd, "loadavg", text, sizeof(text));
        field = strrchr(text, ' ');
        if (field == NULL || !number_parse(field + 1, strcspn(field + 1, "\n"), INT32_MAX, &pid))
                return 0;
        return (pid_t)pid;
}

static pid_t find_recent(const OwnerFinder *finder, uint32_t inode, size_t first, size_t end) {
        for (size_t i = first; i < end && finder->recent[i] != 0; i++)
                if (holds(finder, finder->recent[i], inode))
                        return finder->recent[i];
        return 0;
}

static pid_t find_newest(const OwnerFinder *finder, uint32_t inode, pid_t last, pid_t count) {
        for (pid_t pid = last; pid > 0 && pid > last - count; pid--)
                if (holds(finder, pid, inode))
                        return pid;
        return 0;
}

typedef struct Search {
        const OwnerFinder *finder;
        uint32_t inode;
        pid_t found;
} Search;

static int visit(void *context, pid_t pid) {
        Search *search = context;

        if (!holds(search->finder, pid, search->inode))
                return 0;
        search->found = pid;
        return 1;
}

static pid_t find_anywhere(const OwnerFinder *finder, uint32_t inode) {
        Search search = { .finder = finder, .inode = inode };

        (void)process_visit_all(finder->proc_fd, visit, &search);
        return search.found;
}

static void remember(OwnerFinder *finder, pid_t pid) {
        size_t at = 0;

        while (at < OWNER_RECENT_MAX - 1 && finder->recent[at] != pid && finder->recent[at] != 0)
                at++;
        memmove(&finder->recent[1], &finder->recent[0], at * sizeof(finder->recent[0]));
        finder->recent[0] = pid;
}

/* In the order of likelihood, the dearest last. */
static pid_t find_holder(OwnerFinder *finder, uint32_t inode) {
        pid_t pid = find_recent(finder, inode, 0, 1);
        pid_t last;

        if (pid == 0) {
                last = last_pid(finder->proc_fd);
                pid = find_newest(finder, inode, last, NEWEST_FIRST);
                if (pid == 0)
                        pid = find_recent(finder, inode, 1, OWNER_RECENT_MAX);
                if (pid == 0)
                        pid = find_newest(finder, inode, last - NEWEST_FIRST, NEWEST_MAX);
        }
        if (pid == 0)
                pid = find_anywhere(finder, inode);
        if (pid != 0)
                remember(finder, pid);
        return pid;
}

/* ---- whether another program shares it ---- */

static bool same_program(int proc_fd, pid_t one, pid_t other) {
        RecordInode first, second;

        return process_inode(proc_fd, one, "exe", &first) == 0 &&
               process_inode(proc_fd, other, "exe", &second) == 0 &&
               process_same_inode(first, second);
}

static bool is_rival(const OwnerFinder *finder, pid_t pid, pid_t other, uint32_t inode) {
        return other > 1 && !same_program(finder->proc_fd, pid, other) &&
               holds(finder, other, inode);
}

/* A socket that was just made is shared by inheritance if at all: with the parent, or with
 * children. */
static bool is_shared(const OwnerFinder *finder, pid_t pid, pid_t parent, uint32_t inode) {
        char path[64], text[1024];
        const char *at = text;
        uint64_t child;

        if (is_rival(finder, pid, parent, inode))
                return true;
        (void)snprintf(path, sizeof(path), "%d/task/%d/children", pid, pid);
        (void)read_text(finder->proc_fd, path, text, sizeof(text));
        for (unsigned i = 0; i < CHILDREN_MAX && *at != '\0'; i++) {
                const size_t size = strcspn(at, " ");

                if (number_parse(at, size, INT32_MAX, &child) &&
                        is_rival(finder, pid, (pid_t)child, inode))
                        return true;
                at += size;
                at += strspn(at, " ");
        }
        return false;
}

/* ---- what it executes, and its ancestors ---- */

/* The path as the process's own root shows it: the kernel writes a path that our root does not
 * reach from the top of its mount tree. */
static void read_path(int proc_fd, pid_t pid, char text[static 4096]) {
        char path[32];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "%d/exe", pid);
        n = readlinkat(proc_fd, path, text, 4095);
        text[n > 0 ? n : 0] = '\0';
}

static const Session *session_of_keeper(const OwnerFinder *finder, pid_t pid) {
        for (const Session *session = *finder->sessions; session != NULL; session = session->next)
                if (session->keeper.pid == pid)
                        return session;
        return NULL;
}

/* In the pod's network: by the mount namespace. */
static const char *container_by_mounts(const OwnerFinder *finder, pid_t pid) {
        RecordInode mounts;

        if (process_inode(finder->proc_fd, pid, "ns/mnt", &mounts) < 0)
                return "";
        for (const Target *target = finder->targets->first; target != NULL; target = target->next)
                if (target->state == TARGET_ENTERABLE &&
                        process_same_inode(target->record.mount_namespace, mounts))
                        return target->record.container_name;
        return "";
}

static int add_program(const OwnerFinder *finder, pid_t pid, const ProcessStatus *status,
        OwnerText *text, WireOwner *owner) {
        WireProgram *program = &owner->programs[owner->program_count];
        char *path = text->paths[owner->program_count];
        RecordInode executable;

        if (process_inode(finder->proc_fd, pid, "exe", &executable) < 0)
                return -1;
        read_path(finder->proc_fd, pid, path);
        *program = (WireProgram){
                .pid = (uint32_t)pid,
                .start_time = status->start_time,
                .device = executable.device,
                .inode = executable.inode,
                .path = path,
        };
        owner->program_count++;
        return 0;
}

/* From the process up: to its session's keeper, or to the first process of the pod. False when the
 * process itself has gone. */
static bool add_programs(const OwnerFinder *finder, pid_t pid, OwnerText *text, WireOwner *owner) {
        const pid_t self = getpid();
        const Session *session = NULL;
        ProcessStatus status;

        owner->container = container_by_mounts(finder, pid);
        while (pid > 1 && owner->program_count < WIRE_PROGRAMS_MAX &&
                process_status(finder->proc_fd, pid, &status) == 0) {
                session = session_of_keeper(finder, pid);
                if (session != NULL || pid == self ||
                        add_program(finder, pid, &status, text, owner) < 0)
                        break;
                pid = status.parent;
        }
        if (session != NULL && session->target != NULL)
                owner->container = session->target->record.container_name;
        return owner->program_count > 0;
}

void owner_find(
        OwnerFinder *finder, const WireOwnerAsk *ask, OwnerText *text, WireOwner *ret_owner) {
        WireOwner *owner = ret_owner;
        ProcessStatus before, after;
        uint32_t inode;
        pid_t pid;

        owner->ownership = WIRE_OWNER_GONE;
        owner->container = "";
        owner->program_count = 0;
        if (netlink_socket_inode(
                    finder->diagnosis[ask->network], &ask->local, &ask->remote, &inode) < 0)
                return;
        pid = find_holder(finder, inode);
        if (pid == 0 || process_status(finder->proc_fd, pid, &before) < 0)
                return;
        if (is_shared(finder, pid, before.parent, inode)) {
                owner->ownership = WIRE_OWNER_AMBIGUOUS;
                return;
        }
        /* All of that was read of the same process, or of nobody. */
        if (!add_programs(finder, pid, text, owner) ||
                process_status(finder->proc_fd, pid, &after) < 0 ||
                before.start_time != after.start_time) {
                owner->program_count = 0;
                return;
        }
        owner->ownership = WIRE_OWNER_FOUND;
}

/* ---- the policy's programs ---- */

void owner_find_programs(int proc_fd, const Target *target, const char *const *paths,
        WireFile *ret_files, uint32_t count) {
        char root_path[32];
        cleanup_fd int root = -1;

        (void)snprintf(root_path, sizeof(root_path), "%d/root", target->pid);
        root = openat(proc_fd, root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (uint32_t i = 0; i < count; i++) {
                cleanup_fd int fd =
                        root < 0 ? -1 : sys_openat2_in_root(root, paths[i], O_PATH | O_CLOEXEC, 0);
                struct stat about;

                ret_files[i] = (WireFile){ 0 };
                if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
                        ret_files[i] = (WireFile){ .device = about.st_dev, .inode = about.st_ino };
        }
}
