/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Profile: the texts that bring the proxy settings, the image's PATH, and where to find whom to
 * trust, to login shells and tools. Pure. */
#include "base/error.h"

/* Last in /etc/profile.d in the order of names, which is the order they are read in: what an image
 * sets there does not win. */
#define PROFILE_SCRIPT_PATH "/etc/profile.d/zz-navigator.sh"

/* A POSIX shell script that prints nothing. `path` is the image's PATH, or NULL; `more` are
 * "NAME=value" beside the proxy's, NULL-ended, or NULL. Malloc'ed. */
int profile_script(const char *path, const char *const *more, char **ret_text, Error *error);

/* NAME=value lines, for --env-file and the like. Malloc'ed. */
int profile_environment(const char *const *more, char **ret_text, Error *error);
