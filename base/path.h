/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Paths as text: nothing here looks at a file system, so a symlink is just a name. */
#include <stdbool.h>
#include <stddef.h>

typedef enum PathForm {
        PATH_NORMAL = 0,
        PATH_RELATIVE,  /* does not start with '/'; the empty path too */
        PATH_TRAVERSAL, /* has a component ".." */
        PATH_LONG,      /* does not fit */
} PathForm;

/* Writes the path without "//", "/." and a trailing "/" to ret_path. Nothing is written unless the
 * answer is PATH_NORMAL. ret_path may be the path itself. */
PathForm path_normalise(const char *path, char *ret_path, size_t room);

/* True when `path` is `directory` or lies below it. Both are normal. */
bool path_covers(const char *directory, const char *path);
