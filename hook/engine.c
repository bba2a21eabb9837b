/* SPDX-License-Identifier: Apache-2.0 */

/*
 * containerd's shim has the bundle at STATE/io.containerd.runtime.v2.task/NAMESPACE/ID, and
 * Kubernetes' namespace is k8s.io; in another one (docker's "moby") no CRI plugin has written the
 * annotations. CRI-O and podman both use containers/storage, and have it at
 * DRIVER-containers/ID/userdata: podman below the storage's root, where the list of containers is,
 * CRI-O below its run-time directory, where none is.
 */
#include "hook/engine.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ENGINE_COUNT] = {
        [ENGINE_CONTAINERD] = "containerd",
        [ENGINE_CRIO] = "cri-o",
        [ENGINE_PODMAN] = "podman",
};

bool engine_by_name(const char *name, Engine *ret_engine) {
        for (size_t i = ENGINE_CONTAINERD; i < ENGINE_COUNT; i++)
                if (strcmp(names[i], name) == 0) {
                        *ret_engine = (Engine)i;
                        return true;
                }
        return false;
}

/* Does `bundle` end with BEFORE, the id, AFTER? */
static bool ends_with(const char *bundle, const char *before, const char *id, const char *after) {
        char end[NAME_MAX + 1];
        size_t length = strlen(bundle);
        int r = snprintf(end, sizeof(end), "%s%s%s", before, id, after);

        return r >= 0 && (size_t)r < sizeof(end) && (size_t)r <= length &&
               strcmp(bundle + length - (size_t)r, end) == 0;
}

Engine engine_of_bundle(const char *id, const char *bundle, bool stored) {
        if (ends_with(bundle, "/io.containerd.runtime.v2.task/k8s.io/", id, ""))
                return ENGINE_CONTAINERD;
        if (!ends_with(bundle, "-containers/", id, "/userdata"))
                return ENGINE_UNKNOWN;
        return stored ? ENGINE_PODMAN : ENGINE_CRIO;
}
