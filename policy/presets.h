/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Presets: policies to start from, the files of policy/presets/, which are valid policies
 * themselves. Where a preset depends on the hosts of a package index it has a part between "# begin
 * NAME" and "# end NAME" with one line for the host NAME.invalid, which is written once for each
 * host that is given; without one the part is left out.
 */
#include <stddef.h>

#include "base/error.h"

typedef struct Preset {
        const char *name;
        const char *text;
} Preset;

/* Ended by one without name. */
extern const Preset presets[];

const Preset *preset_find(const char *name);
/* The first comment line behind the license, for lists: "Work on files ...". Not ended by NUL;
 * *ret_size bytes. */
const char *preset_summary(const Preset *preset, size_t *ret_size);

/* The text for `hosts` ("name" or "name:port", NULL-ended) of the Python index, malloc'ed.
 * ERROR_INPUT for what is no host. */
int preset_render(const Preset *preset, const char *const *hosts, char **ret_text, Error *error);
