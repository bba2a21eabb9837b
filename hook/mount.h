/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Mount: file systems that are made detached, filled, sealed, and then attached by descriptor
 * (fsopen(2), open_tree(2), move_mount(2)). No path is resolved when something is attached: source
 * and target are descriptors that somebody already looked at.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct MountOptions {
        uint64_t size;  /* bytes the file system may hold */
        uint64_t files; /* how many files; 0 = the kernel's default */
        mode_t mode;    /* of its root directory */
        uid_t uid;      /* which it belongs to */
        gid_t gid;
        const char *label;   /* SELinux context of everything in it; "" = none */
        unsigned attributes; /* MOUNT_ATTR_* */
} MountOptions;

/* A new tmpfs, attached nowhere: the descriptor is its only reference. */
int mount_new(const MountOptions *options, int *ret_tree, Error *error);

/* Creates a file of mode 0444 in its root, owned by uid and gid. */
int mount_add_file(int tree, const char *name, const void *data, size_t size, uid_t uid, gid_t gid,
        Error *error);

/* From now on nobody writes through this mount. */
int mount_seal(int tree, Error *error);

/* Puts the tree on `target` (an O_PATH descriptor of the caller's mount namespace). */
int mount_attach(int tree, int target, const char *target_name, Error *error);

/* Puts one file of a tree that is attached in the caller's mount namespace on `target`, with the
 * attributes of the tree. */
int mount_attach_file(
        int tree, const char *name, int target, const char *target_name, Error *error);
