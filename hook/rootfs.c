/* SPDX-License-Identifier: Apache-2.0 */

/*
 * When a prestart hook runs, the runtime has made the container's mount namespace, a copy of the
 * host's tree with the rootfs mounted somewhere in it, and has not called pivot_root. So "/" is
 * still the host's: only the directory below root.path is the container's. A runtime that has
 * already changed its root shows the same directory at "/". Which it is, is decided by inode, never
 * by name.
 */
#include "hook/rootfs.h"

#include "base/fd.h"
#include "base/syscalls.h"
#include "hook/hostile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#define PLACE_RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int open_directory(const char *path, int *ret_fd, RecordInode *ret_inode, Error *error) {
        cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot open the rootfs '%s'", path);
        *ret_inode = (RecordInode){ .device = status.st_dev, .inode = status.st_ino };
        *ret_fd = take_fd(fd);
        return 0;
}

static int find_owner(const Process *process, Rootfs *rootfs, Error *error) {
        IdMap map = { 0 };

        if (process_id_map(process, "uid_map", &map, error) < 0)
                return -1;
        if (!id_map_outside(&map, 0, &rootfs->owner_uid))
                return error_set(
                        error, ERROR_INPUT, 0, "the container's user namespace has no uid 0");
        if (process_id_map(process, "gid_map", &map, error) < 0)
                return -1;
        if (!id_map_outside(&map, 0, &rootfs->owner_gid))
                return error_set(
                        error, ERROR_INPUT, 0, "the container's user namespace has no gid 0");
        return 0;
}

/* Without it no path of an image can be opened safely, and there is nothing to fall back to. */
static int require_openat2(int directory, Error *error) {
        cleanup_fd int fd = sys_openat2(directory, ".", O_PATH | O_CLOEXEC, 0, PLACE_RESOLVE);

        if (fd < 0)
                return error_set(error, ERROR_OS, errno,
                        "openat2(2) does not work on this node (needs Linux 5.6 or later, and no "
                        "filter)");
        return 0;
}

/* In the container's namespace: the directory that is the rootfs by inode. */
static int find_root(const char *path, Rootfs *rootfs, Error *error) {
        const char *const places[] = { path, "/" };

        for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
                cleanup_fd int fd = -1;
                RecordInode inode = { 0 };

                if (open_directory(places[i], &fd, &inode, NULL) < 0 ||
                        !inode_equal(inode, rootfs->inode))
                        continue;
                rootfs->directory = take_fd(fd);
                return 0;
        }
        return error_set(error, ERROR_INPUT, 0,
                "the process in the state is not the init of the container with rootfs '%s'", path);
}

static int join(const Process *process, Rootfs *rootfs, Error *error) {
        cleanup_fd int namespace = openat(process->directory, "ns/mnt", O_RDONLY | O_CLOEXEC);
        struct stat theirs, ours;

        rootfs->host = openat(rootfs->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (namespace < 0 || rootfs->host < 0 || fstat(namespace, &theirs) < 0 ||
                fstat(rootfs->host, &ours) < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot open the mount namespace of process %u", process->pid);
        if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
                return error_set(error, ERROR_INPUT, 0,
                        "process %u has the host's mount namespace: not a container's init",
                        process->pid);
        if (setns(namespace, CLONE_NEWNS) < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot join the mount namespace of process %u", process->pid);
        return 0;
}

int rootfs_enter(
        int proc, const Process *process, const char *path, Rootfs *ret_rootfs, Error *error) {
        cleanup(rootfs_closep) Rootfs rootfs = ROOTFS_NONE;
        cleanup_fd int host_view = -1;

        rootfs.proc = proc;
        if (open_directory(path, &host_view, &rootfs.inode, error) < 0 ||
                require_openat2(host_view, error) < 0 || find_owner(process, &rootfs, error) < 0 ||
                join(process, &rootfs, error) < 0)
                return -1;
        if (find_root(path, &rootfs, error) < 0) {
                (void)rootfs_leave(&rootfs, NULL);
                return -1;
        }
        *ret_rootfs = take(rootfs, ROOTFS_NONE);
        return 0;
}

int rootfs_leave(Rootfs *rootfs, Error *error) {
        if (setns(rootfs->host, CLONE_NEWNS) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot go back to the host's mount namespace");
        return 0;
}

Rootfs rootfs_close(Rootfs rootfs) {
        (void)fd_close(rootfs.directory);
        (void)fd_close(rootfs.host);
        return ROOTFS_NONE;
}

int rootfs_read(const Rootfs *rootfs, const char *path, RootfsReach reach, size_t limit,
        char **ret_data, size_t *ret_size, Error *error) {
        uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
        int r;

        if (reach == ROOTFS_IMAGE)
                resolve |= RESOLVE_NO_XDEV;
        r = hostile_read(
                rootfs->proc, rootfs->directory, path, resolve, limit, ret_data, ret_size, error);
        return r < 0 ? error_context(error, "the image") : r;
}

static bool is_empty(int fd) {
        DIR *directory = fdopendir(fd); /* owns fd from here on */
        const struct dirent *entry;
        bool empty = true;

        if (directory == NULL) {
                (void)fd_close(fd);
                return false;
        }
        while (empty && (entry = readdir(directory)) != NULL)
                empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        (void)closedir(directory);
        return empty;
}

int rootfs_is_vacant(const Rootfs *rootfs, const char *path, Error *error) {
        cleanup_fd int fd = sys_openat2(rootfs->directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
        struct stat status;

        if (fd < 0 && errno == ENOENT)
                return 1;
        if (fd < 0 && (errno == EXDEV || errno == ELOOP || errno == ENOTDIR))
                return 0;
        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot look at '%s' of the image", path);
        return status.st_uid == rootfs->owner_uid && is_empty(take_fd(fd));
}

/* For the kernel's checks of file access only. The call itself never fails: what it did is asked
 * for by an id that nobody can have. */
static bool become(uid_t uid, gid_t gid) {
        (void)setfsgid(gid);
        (void)setfsuid(uid);
        return (uid_t)setfsuid((uid_t)-1) == uid && (gid_t)setfsgid((gid_t)-1) == gid;
}

/* mkdirat() or an exclusive creation, as the container's root: a mount with mapped ids refuses the
 * host's. */
static int create(const Rootfs *rootfs, int parent, const char *name, bool directory) {
        cleanup_fd int fd = -1;
        int r;

        if (!become(rootfs->owner_uid, rootfs->owner_gid)) {
                errno = EPERM;
                r = -1;
        } else if (directory)
                r = mkdirat(parent, name, 0755);
        else
                r = fd = openat(
                        parent, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        r = r < 0 ? -errno : 0;
        if (!become(0, 0))
                return r < 0 ? r : -EPERM;
        return r;
}

/* Where a walk through the rootfs has got to. */
typedef struct Place {
        int fd;
        bool on_volume; /* a mount of the pod's was entered on the way */
} Place;

static Place place_leave(Place place) {
        (void)fd_close(place.fd);
        return (Place){ .fd = -1 };
}
DEFINE_CLEANUP(Place, place_leave);

/* One name further; -errno. What is mounted there is entered. */
static int step(Place *place, const char *name, bool directory) {
        const uint64_t flags = O_PATH | O_CLOEXEC | (directory ? O_DIRECTORY : 0);
        bool on_volume = place->on_volume;
        int fd = sys_openat2(place->fd, name, flags, 0, PLACE_RESOLVE | RESOLVE_NO_XDEV);

        if (fd < 0 && errno == EXDEV) {
                on_volume = true;
                fd = sys_openat2(place->fd, name, flags, 0, PLACE_RESOLVE);
        }
        if (fd < 0)
                return -errno;
        (void)fd_close(place->fd);
        *place = (Place){ .fd = fd, .on_volume = on_volume };
        return 0;
}

/* The same, creating the name where it is missing. -EXDEV: it is missing on a volume. */
static int step_or_create(const Rootfs *rootfs, Place *place, const char *name, bool directory) {
        int r = step(place, name, directory);

        if (r != -ENOENT)
                return r;
        if (place->on_volume)
                return -EXDEV;
        r = create(rootfs, place->fd, name, directory);
        if (r < 0 && r != -EEXIST)
                return r;
        return step(place, name, directory);
}

static int refuse_place(const char *path, const char *name, int code, Error *error) {
        if (code == EXDEV)
                return error_set(error, ERROR_INPUT, 0,
                        "cannot mount on '%s': a volume of the pod covers it, and has no '%s'; "
                        "nothing is created on volumes, so mount the volume elsewhere, or put an "
                        "empty file or directory of that name on it",
                        path, name);
        if (code == ELOOP)
                return error_set(error, ERROR_INPUT, 0,
                        "cannot mount on '%s': '%s' of the image is a symbolic link; the image "
                        "must have a plain file "
                        "or directory there, or nothing",
                        path, name);
        return error_set(
                error, ERROR_OS, code, "cannot mount on '%s': '%s' of the image", path, name);
}

/* Walks from the root, one component at a time, so that each step is one name in a directory that
 * is already held. */
static int make_place(
        const Rootfs *rootfs, const char *path, bool directory, int *ret_fd, Error *error) {
        cleanup(place_leavep) Place place = { .fd = fcntl(rootfs->directory, F_DUPFD_CLOEXEC, 0) };
        const char *rest = path;
        bool last = false;

        if (place.fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open the rootfs again");
        while (!last) {
                char name[NAME_MAX + 1];
                size_t length;
                int r;

                rest += strspn(rest, "/");
                length = strcspn(rest, "/");
                if (length == 0 || length > NAME_MAX)
                        return error_set(error, ERROR_INPUT, 0, "cannot mount on '%s'", path);
                memcpy(name, rest, length);
                name[length] = '\0';
                rest += length;
                last = *rest == '\0';
                r = step_or_create(rootfs, &place, name, directory || !last);
                if (r < 0)
                        return refuse_place(path, name, -r, error);
        }
        *ret_fd = take_fd(place.fd);
        return 0;
}

int rootfs_make_directory(const Rootfs *rootfs, const char *path, int *ret_fd, Error *error) {
        return make_place(rootfs, path, true, ret_fd, error);
}

int rootfs_make_file(const Rootfs *rootfs, const char *path, int *ret_fd, Error *error) {
        cleanup_fd int fd = -1;
        struct stat status;

        if (make_place(rootfs, path, false, &fd, error) < 0)
                return -1;
        if (fstat(fd, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot look at '%s' of the image", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_INPUT, 0,
                        "cannot mount on '%s' of the image: not a regular file", path);
        *ret_fd = take_fd(fd);
        return 0;
}
