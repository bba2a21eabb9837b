/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A descriptor of a process is looked at by its name in /proc/PID/fd: the entry leads to the
 * socket, and its inode is the kernel's name for it. Making that entry is what costs, so the likely
 * ones are tried by name before all are listed.
 */
#include "sidecar/launcher/owner.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/syscalls.h"
#include "sidecar/launcher/clock.h"
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
/* A socket that is on its way in a message is nobody's, and to find that out is to list every
 * descriptor there is: a session may make the launcher do it again and again, not for long. */
#define LIMIT_MS 50

int owner_prepare(OwnerFinder *finder, Error *error) {
        struct stat about;

        /* All sockets are inodes of one file system. */
        if (fstat(finder->diagnosis[WIRE_NETWORK_POD], &about) < 0)
                return error_set(error, ERROR_OS, errno, "cannot look at a socket");
        finder->socket_device = about.st_dev;
        finder->pids_fd = openat(finder->proc_fd, "loadavg", O_RDONLY | O_CLOEXEC);
        if (finder->pids_fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '/proc/loadavg'");
        known_prepare(&finder->known, finder->proc_fd);
        return 0;
}

void owner_done(OwnerFinder *finder) {
        finder->pids_fd = fd_close(finder->pids_fd);
        known_done(&finder->known);
}

/* ---- who holds a socket ---- */

typedef struct Wanted {
        dev_t device;
        uint32_t inode;
        int64_t give_up_at; /* clock.h; what is not found by then is nobody's */
} Wanted;

static bool has_given_up(const Wanted *wanted) {
        return clock_milliseconds() >= wanted->give_up_at;
}

static bool is_socket(const Wanted *wanted, int directory, const char *name) {
        struct stat about;

        return fstatat(directory, name, &about, 0) == 0 && about.st_ino == wanted->inode &&
               about.st_dev == wanted->device;
}

static bool is_descriptor(const Wanted *wanted, int directory, int number) {
        char name[32];

        (void)snprintf(name, sizeof(name), "fd/%d", number);
        return is_socket(wanted, directory, name);
}

/* Since Linux 6.2 the size of the directory is how many there are; before it is 0. */
static int count_descriptors(int directory, off_t *ret_count) {
        struct stat about;

        if (fstatat(directory, "fd", &about, 0) < 0)
                return -errno;
        *ret_count = about.st_size;
        return 0;
}

/* The number of the descriptor that is the socket, or -1: all of them are looked at. */
static int list_descriptors(const Wanted *wanted, int directory) {
        cleanup_fd int fd = openat(directory, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _Alignas(struct dirent64) char entries[4096];
        uint64_t number;
        unsigned seen = 0;
        ssize_t n;

        while (fd >= 0 && seen < DESCRIPTORS_MAX && !has_given_up(wanted) &&
                (n = getdents64(fd, entries, sizeof(entries))) > 0)
                for (ssize_t at = 0; at < n; seen++) {
                        const struct dirent64 *entry = (const void *)(entries + at);

                        if (number_parse(
                                    entry->d_name, strlen(entry->d_name), INT32_MAX, &number) &&
                                is_socket(wanted, fd, entry->d_name))
                                return (int)number;
                        at += entry->d_reclen;
                }
        return -1;
}

/* The same, the likely ones first: `guess` (-1 = none), and the last of as many as there are, since
 * they are given out from the lowest. */
static int find_descriptor(const Wanted *wanted, int directory, int guess) {
        off_t count = 0;

        if (guess >= 0 && is_descriptor(wanted, directory, guess))
                return guess;
        if (count_descriptors(directory, &count) < 0)
                return -1; /* it has ended */
        if (count > 0 && count <= INT32_MAX && count - 1 != guess &&
                is_descriptor(wanted, directory, (int)count - 1))
                return (int)count - 1;
        return list_descriptors(wanted, directory);
}

static size_t read_text(int directory, const char *path, char *text, size_t room) {
        cleanup_fd int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, room - 1);

        text[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t)n : 0;
}

/* The last pid that was given out in our pid namespace: the last field of /proc/loadavg. */
static pid_t last_pid(const OwnerFinder *finder) {
        char text[128];
        const char *field;
        uint64_t pid;
        ssize_t n = pread(finder->pids_fd, text, sizeof(text) - 1, 0);

        text[n > 0 ? n : 0] = '\0';
        field = strrchr(text, ' ');
        if (field == NULL || !number_parse(field + 1, strcspn(field + 1, "\n"), INT32_MAX, &pid))
                return 0;
        return (pid_t)pid;
}

/* Of those that had a connection before, from the `first` latest to the `end`th. */
static KnownProcess *find_recent(
        OwnerFinder *finder, const Wanted *wanted, unsigned first, unsigned end) {
        uint64_t before = UINT64_MAX;

        for (unsigned i = 0; i < end; i++) {
                KnownProcess *latest = NULL;
                int found;

                for (size_t j = 0; j < KNOWN_MAX; j++) {
                        KnownProcess *process = &finder->known.processes[j];

                        if (process->pid != 0 && process->socket >= 0 && process->used < before &&
                                (latest == NULL || process->used > latest->used))
                                latest = process;
                }
                if (latest == NULL)
                        break;
                before = latest->used;
                found = i < first ? -1 : find_descriptor(wanted, latest->directory, latest->socket);
                if (found >= 0) {
                        latest->socket = found;
                        return latest;
                }
        }
        return NULL;
}

static KnownProcess *try_process(OwnerFinder *finder, const Wanted *wanted, pid_t pid) {
        cleanup_fd int directory = known_open_directory(&finder->known, pid);
        KnownProcess *process;
        int found;

        found = directory < 0 ? -1 : find_descriptor(wanted, directory, -1);
        if (found < 0)
                return NULL;
        process = known_add(&finder->known, pid, take_fd(directory));
        process->socket = found;
        return process;
}

static KnownProcess *find_newest(
        OwnerFinder *finder, const Wanted *wanted, pid_t last, pid_t count) {
        KnownProcess *process = NULL;

        for (pid_t pid = last; process == NULL && pid > 0 && pid > last - count; pid--)
                process = try_process(finder, wanted, pid);
        return process;
}

typedef struct Search {
        OwnerFinder *finder;
        const Wanted *wanted;
        KnownProcess *found;
} Search;

static int visit(void *context, pid_t pid) {
        Search *search = context;

        search->found = try_process(search->finder, search->wanted, pid);
        return search->found != NULL || has_given_up(search->wanted);
}

static KnownProcess *find_anywhere(OwnerFinder *finder, const Wanted *wanted) {
        Search search = { .finder = finder, .wanted = wanted };

        (void)process_visit_all(finder->proc_fd, visit, &search);
        return search.found;
}

/* In the order of likelihood, the dearest last. */
static KnownProcess *find_holder(OwnerFinder *finder, const Wanted *wanted) {
        KnownProcess *process = find_recent(finder, wanted, 0, 1);
        pid_t last;

        if (process == NULL) {
                last = last_pid(finder);
                process = find_newest(finder, wanted, last, NEWEST_FIRST);
                if (process == NULL)
                        process = find_recent(finder, wanted, 1, OWNER_RECENT_MAX);
                if (process == NULL)
                        process = find_newest(finder, wanted, last - NEWEST_FIRST, NEWEST_MAX);
        }
        return process != NULL ? process : find_anywhere(finder, wanted);
}

/* ---- whether another program shares it ---- */

static bool is_rival(
        const Wanted *wanted, const KnownProcess *process, int directory, RecordInode executable) {
        return !process_same_inode(process->executable, executable) &&
               list_descriptors(wanted, directory) >= 0;
}

static bool child_is_rival(
        const OwnerFinder *finder, const Wanted *wanted, const KnownProcess *process, pid_t child) {
        cleanup_fd int directory = known_open_directory(&finder->known, child);
        RecordInode executable;

        return directory >= 0 && process_inode_at(directory, "exe", &executable) == 0 &&
               is_rival(wanted, process, directory, executable);
}

static bool is_shared_with_children(
        const OwnerFinder *finder, const Wanted *wanted, const KnownProcess *process) {
        char path[64], text[1024];
        const char *at = text;
        uint64_t child;

        /* Who got the last pid has nobody below it. */
        if (last_pid(finder) == process->pid)
                return false;
        (void)snprintf(path, sizeof(path), "task/%d/children", process->pid);
        if (read_text(process->directory, path, text, sizeof(text)) == sizeof(text) - 1)
                return true; /* more than can be looked at: one of them may */
        for (unsigned i = 0; *at != '\0'; i++) {
                const size_t size = strcspn(at, " ");

                if (i == CHILDREN_MAX || has_given_up(wanted))
                        return true;
                if (number_parse(at, size, INT32_MAX, &child) &&
                        child_is_rival(finder, wanted, process, (pid_t)child))
                        return true;
                at += size;
                at += strspn(at, " ");
        }
        return false;
}

/* ---- what it executes, and its ancestors ---- */

static const Session *session_of_keeper(const OwnerFinder *finder, pid_t pid) {
        for (const Session *session = *finder->sessions; session != NULL; session = session->next)
                if (session->keeper.pid == pid)
                        return session;
        return NULL;
}

/* Where a program's ancestors end: at its session's keeper, at the launcher, at the first process
 * of the pod. */
static bool is_ours(void *context, pid_t pid) {
        return pid <= 1 || pid == getpid() || session_of_keeper(context, pid) != NULL;
}

static KnownProcess *parent_of(OwnerFinder *finder, KnownProcess *process) {
        return known_parent(&finder->known, process, is_ours, finder);
}

/* In the pod's network: by the mount namespace. */
static const char *container_by_mounts(const OwnerFinder *finder, const KnownProcess *process) {
        RecordInode mounts;

        if (process_inode_at(process->directory, "ns/mnt", &mounts) < 0)
                return "";
        for (const Target *target = finder->targets->first; target != NULL; target = target->next)
                if (target->state == TARGET_ENTERABLE &&
                        process_same_inode(target->record.mount_namespace, mounts))
                        return target->record.container_name;
        return "";
}

/* The path as the process's own root shows it: the kernel writes a path that our root does not
 * reach from the top of its mount tree. */
static void add_program(const KnownProcess *process, OwnerText *text, WireOwner *owner) {
        char *path = text->paths[owner->program_count];
        ssize_t n = readlinkat(process->directory, "exe", path, sizeof(text->paths[0]) - 1);

        path[n > 0 ? n : 0] = '\0';
        owner->programs[owner->program_count++] = (WireProgram){
                .pid = (uint32_t)process->pid,
                .start_time = process->start_time,
                .device = process->executable.device,
                .inode = process->executable.inode,
                .path = path,
        };
}

static void add_programs(OwnerFinder *finder, KnownProcess *process, KnownProcess *parent,
        OwnerText *text, WireOwner *owner) {
        const KnownProcess *first = process;
        const Session *session;

        add_program(process, text, owner);
        while (parent != NULL && owner->program_count < WIRE_PROGRAMS_MAX) {
                process = parent;
                add_program(process, text, owner);
                parent = parent_of(finder, process);
        }
        session = session_of_keeper(finder, process->parent);
        if (session != NULL && session->target != NULL)
                owner->container = session->target->record.container_name;
        else
                owner->container = container_by_mounts(finder, first);
}

void owner_find(
        OwnerFinder *finder, const WireOwnerAsk *ask, OwnerText *text, WireOwner *ret_owner) {
        WireOwner *owner = ret_owner;
        Wanted wanted = {
                .device = finder->socket_device,
                .give_up_at = clock_milliseconds() + LIMIT_MS,
        };
        KnownProcess *process, *parent;

        owner->ownership = WIRE_OWNER_GONE;
        owner->container = "";
        owner->program_count = 0;
        if (netlink_socket_inode(
                    finder->diagnosis[ask->network], &ask->local, &ask->remote, &wanted.inode) < 0)
                return;
        process = find_holder(finder, &wanted);
        if (process == NULL || !known_refresh(&finder->known, process))
                return;
        /* A program that shares a socket without meaning to does so with its parent, or with
         * children: they are looked at. Who means to has other ways, too (docs/formats/egress.md).
         */
        parent = parent_of(finder, process);
        if (process->parent < 0)
                return; /* it has ended meanwhile */
        if ((parent != NULL && is_rival(&wanted, process, parent->directory, parent->executable)) ||
                is_shared_with_children(finder, &wanted, process) || has_given_up(&wanted)) {
                owner->ownership = WIRE_OWNER_AMBIGUOUS;
                return;
        }
        add_programs(finder, process, parent, text, owner);
        if (owner->programs[0].path[0] == '\0')
                owner->program_count = 0; /* has ended, too */
        else
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
