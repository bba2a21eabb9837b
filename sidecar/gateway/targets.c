/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/targets.h"

#include "sidecar/wire/wire.h"

#include <stdlib.h>
#include <string.h>

int targets_set(Targets *targets, const WireTargets *from, Error *error) {
        Targets copy = { .pod_namespace = strdup(from->pod_namespace),
                .pod_name = strdup(from->pod_name) };
        size_t count = 0;

        while (from->containers[count] != NULL)
                count++;
        copy.containers = calloc(count + 1, sizeof(*copy.containers));
        while (copy.containers != NULL && copy.count < count) {
                copy.containers[copy.count] = strdup(from->containers[copy.count]);
                if (copy.containers[copy.count] == NULL)
                        break;
                copy.count++;
        }
        if (copy.pod_namespace == NULL || copy.pod_name == NULL || copy.containers == NULL ||
                copy.count < count) {
                targets_done(&copy);
                return error_set(
                        error, ERROR_LIMIT, 0, "no memory for the names of the containers");
        }
        targets_done(targets);
        *targets = copy;
        return 0;
}

void targets_done(Targets *targets) {
        for (size_t i = 0; i < targets->count; i++)
                free(targets->containers[i]);
        free(targets->containers);
        free(targets->pod_namespace);
        free(targets->pod_name);
        *targets = (Targets){ 0 };
}

static bool is_or_unknown(const char *known, const char *name) {
        return known == NULL || known[0] == '\0' || strcmp(known, name) == 0;
}

bool targets_is_namespace(const Targets *targets, const char *pod_namespace) {
        return is_or_unknown(targets->pod_namespace, pod_namespace);
}

bool targets_is_pod(const Targets *targets, const char *pod_namespace, const char *pod_name) {
        return targets_is_namespace(targets, pod_namespace) &&
               is_or_unknown(targets->pod_name, pod_name);
}

bool targets_has_container(const Targets *targets, const char *name) {
        for (size_t i = 0; i < targets->count; i++)
                if (strcmp(targets->containers[i], name) == 0)
                        return true;
        return false;
}
