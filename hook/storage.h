/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Storage: podman's list of its containers, which alone knows their names and images. */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* The list grows with the containers of a node. */
#define STORAGE_SIZE_MAX ((size_t)8 * 1024 * 1024)

typedef struct Storage {
        char *text; /* owned; JSON. NULL: the container is in no such list */
        size_t size;
} Storage;

/* Of the list that has the container `id` with that bundle. */
int storage_read(const char *id, const char *bundle, Storage *ret_storage, Error *error);
Storage storage_free(Storage storage);
DEFINE_CLEANUP(Storage, storage_free);
