/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Owned: the files that the installer wrote on a node, and their digests, remembered in a list
 * beside them. It replaces and removes these, as they were written, and nothing else: a file that
 * somebody else put there or has changed since is a refusal that names it.
 *
 *   owned_open -> owned_want for every file -> owned_apply; or owned_open -> owned_remove
 *
 * The list is written before the files, with the old digests and the new, so that an installer that
 * is killed at any point finds its own files again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Owned Owned;

/* `root` is the node's root directory (borrowed); `list` the path of the list below it. A list that
 * does not exist is empty. */
int owned_open(int root, const char *list, Owned **ret_owned, Error *error);
Owned *owned_free(Owned *owned);
DEFINE_CLEANUP(Owned *, owned_free);

/* The node shall have this file. `path` is absolute on the node; data is copied. Files are written
 * in the order of the calls and removed in the opposite one: call for a file before those that name
 * it. */
int owned_want(
        Owned *owned, const char *path, const void *data, size_t size, mode_t mode, Error *error);

/* Makes the node have the wanted files and none of the ones that are no longer wanted. Everything
 * is checked before anything is written. */
int owned_apply(Owned *owned, Error *error);

/* Removes the files and the list. *ret_left counts those that were changed since and stay. */
int owned_remove(Owned *owned, unsigned *ret_left, Error *error);
