/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Rootfs: the container's root directory, seen from inside the container's mount namespace, before
 * the runtime makes it "/".
 *
 * Everything below it belongs to the image: names may be symbolic links to anywhere, FIFOs,
 * devices, mounts of /proc. Nothing is opened but by descriptor and openat2(2). Reading follows
 * links inside the root; a place to mount on is never reached through one.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/hostile.h"
#include "hook/process.h"
#include "sidecar/wire/record.h"

typedef struct Rootfs {
        int directory; /* the rootfs; -1 is the empty value */
        int host;      /* the mount namespace we came from */
        int proc;      /* borrowed: the host's /proc */
        RecordInode inode;
        uint32_t owner_uid,
                owner_gid; /* the container's root, as the host numbers it: owns what we create */
} Rootfs;

#define ROOTFS_NONE ((Rootfs){ .directory = -1, .host = -1, .proc = -1 })
#define ROOTFS_MISSING HOSTILE_MISSING

/* Joins the mount namespace of `process` and opens its rootfs, config.json's root.path. The caller
 * stays in that namespace until rootfs_leave(). Refuses when `process` is not the init of that
 * rootfs, or shares our mount namespace. Single-threaded callers only. */
int rootfs_enter(
        int proc, const Process *process, const char *path, Rootfs *ret_rootfs, Error *error);
/* Back to the host's mount namespace. A failure is final for the process. */
int rootfs_leave(Rootfs *rootfs, Error *error);
Rootfs rootfs_close(Rootfs rootfs);
DEFINE_CLEANUP(Rootfs, rootfs_close);

typedef enum RootfsReach {
        ROOTFS_ANYWHERE, /* also on a volume of the pod */
        ROOTFS_IMAGE,    /* on the rootfs' own file system only */
} RootfsReach;

/* Reads a regular file; ROOTFS_MISSING when there is none. */
int rootfs_read(const Rootfs *rootfs, const char *path, RootfsReach reach, size_t limit,
        char **ret_data, size_t *ret_size, Error *error);

/* O_PATH descriptors to mount on. What is missing is created, owned by the container's root:
 * directories 0755, an empty file 0644; but only in the container's own layer. A volume outlives
 * the container, others may mount it, and it may be a directory of the node: where a name would
 * have to be created on one, that is refused (ERROR_INPUT). */
int rootfs_make_directory(const Rootfs *rootfs, const char *path, int *ret_fd, Error *error);
int rootfs_make_file(const Rootfs *rootfs, const char *path, int *ret_fd, Error *error);

/* 1 when there is nothing at `path`, or only an empty directory of the container's root on the
 * image's own file system, as an earlier run of the same container leaves behind; 0 when something
 * is there: of the image, or a volume. */
int rootfs_is_vacant(const Rootfs *rootfs, const char *path, Error *error);
