/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The sidecar is handed descriptors of every container of its pod, so three things have to agree
 * before a container is taken for it: the name, the image, by the engine's own word, and the
 * program that the image starts. A container that only has the name is refused, not treated as a
 * workload: somebody is trying, or has mistyped an image, and both want to know.
 */
#include "hook/select.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SIDECAR_PROGRAM "navigator-sidecar"
#define DNS_NAME_MAX 253U

/* podman gives a pod's containers the host name of the pod, and calls them POD-CONTAINER. */
static const char *without_pod(const Bundle *bundle) {
        const char *pod = bundle_variable(bundle, "HOSTNAME");
        size_t length = pod != NULL ? strlen(pod) : 0;

        if (length > 0 && strncmp(bundle->storage_name, pod, length) == 0 &&
                bundle->storage_name[length] == '-')
                return bundle->storage_name + length + 1;
        return bundle->storage_name;
}

static const char *find_name(const State *state, const Bundle *bundle) {
        if (state->engine.container_name[0] != '\0')
                return state->engine.container_name;
        if (bundle->storage_name[0] != '\0')
                return without_pod(bundle);
        return state->id;
}

void select_name(const State *state, const Bundle *bundle, char ret_name[static SELECT_NAME_MAX]) {
        (void)snprintf(ret_name, SELECT_NAME_MAX, "%s", find_name(state, bundle));
}

/* A pod's name that could not be taken off leaves POD-navigator: that is the sidecar's name, too.
 */
static bool has_sidecar_name(const Node *node, const State *state, const Bundle *bundle) {
        const char *name = find_name(state, bundle);
        size_t whole = strlen(name), wanted = strlen(node->sidecar_container);

        if (strcmp(name, node->sidecar_container) == 0)
                return true;
        return name == bundle->storage_name && whole > wanted && name[whole - wanted - 1] == '-' &&
               strcmp(name + whole - wanted, node->sidecar_container) == 0;
}

static bool starts_sidecar(const Bundle *bundle) {
        const char *slash = strrchr(bundle->program, '/');

        return strcmp(slash != NULL ? slash + 1 : bundle->program, SIDECAR_PROGRAM) == 0;
}

int select_role(
        const Node *node, const State *state, const Bundle *bundle, Role *ret_role, Error *error) {
        const char *image =
                state->engine.image[0] != '\0' ? state->engine.image : bundle->storage_image;

        if (!has_sidecar_name(node, state, bundle)) {
                *ret_role = ROLE_WORKLOAD;
                return 0;
        }
        if (!node_knows_image(node, image))
                return error_set(error, ERROR_DENIED, 0,
                        "container '%s' has the sidecar's name, but its image '%s' is not listed "
                        "as 'sidecar.images' "
                        "in the node configuration",
                        node->sidecar_container, image);
        if (!starts_sidecar(bundle))
                return error_set(error, ERROR_DENIED, 0,
                        "container '%s' has the sidecar's name and image, but starts '%s' instead "
                        "of %s",
                        node->sidecar_container, bundle->program, SIDECAR_PROGRAM);
        *ret_role = ROLE_SIDECAR;
        return 0;
}

/* A DNS-1123 subdomain, as Kubernetes names ConfigMaps: also a safe file name. */
static bool is_dns_name(const char *name) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        size_t length = strlen(name);

        for (size_t i = 0; i < length; i++) {
                bool edge = i == 0 || i == length - 1 || name[i - 1] == '.' || name[i + 1] == '.';

                if (strchr(letters, name[i]) == NULL &&
                        (edge || (name[i] != '-' && name[i] != '.')))
                        return false;
        }
        return length > 0 && length <= DNS_NAME_MAX;
}

int select_policy(const char *annotation, PolicySelection *ret_selection, Error *error) {
        static const struct {
                const char *prefix;
                PolicySource source;
        } named[] = { { "configmap/", SOURCE_CONFIGMAP }, { "node/", SOURCE_NODE } };

        if (annotation[0] == '\0') {
                *ret_selection = (PolicySelection){ .source = SOURCE_UNNAMED, .name = "" };
                return 0;
        }
        if (strcmp(annotation, "image") == 0) {
                *ret_selection = (PolicySelection){ .source = SOURCE_IMAGE, .name = "" };
                return 0;
        }
        for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
                size_t length = strlen(named[i].prefix);

                if (strncmp(annotation, named[i].prefix, length) != 0)
                        continue;
                if (!is_dns_name(annotation + length))
                        return error_set(error, ERROR_INPUT, 0,
                                "annotation '%s': '%s' is not a name of lower case letters, "
                                "digits, '-' and '.'",
                                ANNOTATION_POLICY, annotation + length);
                *ret_selection =
                        (PolicySelection){ .source = named[i].source, .name = annotation + length };
                return 0;
        }
        return error_set(error, ERROR_INPUT, 0,
                "annotation '%s' is '%s'; it can be configmap/NAME, node/NAME or image",
                ANNOTATION_POLICY, annotation);
}
