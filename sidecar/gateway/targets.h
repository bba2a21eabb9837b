/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Targets: the gateway's copy of what the launcher last said can be entered: the pod's name and its
 * containers, the default first. */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct WireTargets WireTargets;

typedef struct Targets {
        char *pod_namespace; /* "" or NULL: not told, any is taken */
        char *pod_name;
        char **containers;
        size_t count;
} Targets;

/* Replaces what was there; on failure it stays. */
int targets_set(Targets *targets, const WireTargets *from, Error *error);
void targets_done(Targets *targets);

/* Whether this is the pod's namespace or name, as far as we were told one. */
bool targets_is_namespace(const Targets *targets, const char *pod_namespace);
bool targets_is_pod(const Targets *targets, const char *pod_namespace, const char *pod_name);
bool targets_has_container(const Targets *targets, const char *name);
