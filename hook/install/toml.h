/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Toml: single values of a container runtime's configuration, for the installer, which has to give
 * its handler the settings of the node's own. The file is the administrator's; it is read, never
 * written.
 *
 * A path joins the tables and the key by '/', because plugin names are full of dots:
 * "plugins/io.containerd.cri.v1.runtime/...". What of the language would hide a value from us (an
 * inline table on the way) is an error, not an absence.
 *
 * Functions return 1: found; 0: the file does not say; -1: ERROR_INPUT with file and line.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TOML_PATH_MAX 512U
#define TOML_STRING_MAX 512U

typedef struct Toml {
        const char *name; /* for messages */
        const char *text; /* NUL-ended */
} Toml;

int toml_string(Toml toml, const char *path, char ret_value[static TOML_STRING_MAX], Error *error);
int toml_boolean(Toml toml, const char *path, bool *ret_value, Error *error);
int toml_number(Toml toml, const char *path, uint64_t *ret_value, Error *error);

/* Calls `each` with every string of an array, until it returns false. */
int toml_strings(Toml toml, const char *path, bool (*each)(const char *value, void *context),
        void *context, Error *error);

/* 1: some table or key begins with `path`. */
int toml_has(Toml toml, const char *path, Error *error);
