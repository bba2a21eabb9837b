/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Select: what a container is to us, what it is called, and which policy it asks for. Pure. */
#include "base/error.h"
#include "hook/bundle.h"
#include "hook/node.h"
#include "hook/state.h"

#define SELECT_NAME_MAX 256U

typedef enum Role {
        ROLE_WORKLOAD = 1,
        ROLE_SIDECAR, /* our own: gets the socket, no policy */
} Role;

/* What people call the container: "workload". Engines say it, podman's storage says
 * "POD-CONTAINER"; where nobody says it, the id. */
void select_name(const State *state, const Bundle *bundle, char ret_name[static SELECT_NAME_MAX]);

/* ERROR_DENIED for a container that has the sidecar's name and is not what the node's configuration
 * calls the sidecar. */
int select_role(
        const Node *node, const State *state, const Bundle *bundle, Role *ret_role, Error *error);

typedef enum PolicySource {
        SOURCE_UNNAMED =
                1, /* the image's own, else the node's default.yaml, else the restrictive default */
        SOURCE_CONFIGMAP,
        SOURCE_NODE,
        SOURCE_IMAGE,
} PolicySource;

typedef struct PolicySelection {
        PolicySource source;
        const char *name; /* of the ConfigMap or node policy; borrowed from the annotation */
} PolicySelection;

/* Parses the annotation navigator.sandbox/policy. ERROR_INPUT names it. */
int select_policy(const char *annotation, PolicySelection *ret_selection, Error *error);
