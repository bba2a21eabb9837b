/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Hostile: reading a file out of a directory whose content somebody else chose: an image, a volume,
 * a pod's author. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HOSTILE_MISSING 1

/* Reads the regular file `path` below `directory`, resolved by openat2(2) with `resolve`. A FIFO, a
 * device, and what is on no file system for files (/proc/kmsg is a regular file to the eye) is not
 * even opened. HOSTILE_MISSING when there is none. `proc` is the host's /proc. */
int hostile_read(int proc, int directory, const char *path, uint64_t resolve, size_t limit,
        char **ret_data, size_t *ret_size, Error *error);
