/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whole files: read with a limit, replaced in one step. */
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Reads all of fd from where it stands. *ret_data is malloc'ed, has a NUL behind its *ret_size bytes, and belongs to the caller.
 * More than `limit` bytes: ERROR_LIMIT. `name` is for messages only. */
int file_read_fd(int fd, const char *name, size_t limit, char **ret_data, size_t *ret_size, Error *error);

/* The same by path, relative to dir_fd (AT_FDCWD allowed). Only regular files; a missing one has error->code ENOENT. For paths
 * that we or the node's administrator chose: a path inside a container's rootfs is opened by openat2 first. */
int file_read(int dir_fd, const char *path, size_t limit, char **ret_data, size_t *ret_size, Error *error);

/* Writes a temporary neighbour and renames it over path: a reader sees the old file or the new one. */
int file_write_atomic(
        int dir_fd, const char *path, const void *data, size_t size, mode_t mode, Error *error);
