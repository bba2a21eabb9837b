/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Engine: which container engine creates the container, and so whose word which annotation is.
 *
 * In the state an engine's own annotations stand among those of the pod's author. An engine
 * overwrites its own keys, and lets what it does not know through: what stands under another
 * engine's keys, the author wrote. So one engine's keys are believed, and the engine is told by the
 * node's configuration or by where the bundle lies, which is nobody's choice who writes a pod.
 */
#include <stdbool.h>
#include <stddef.h>

typedef enum Engine {
        ENGINE_UNKNOWN, /* a runtime by itself: no annotation is an engine's */
        ENGINE_CONTAINERD,
        ENGINE_CRIO,
        ENGINE_PODMAN,
} Engine;
#define ENGINE_COUNT ((size_t)ENGINE_PODMAN + 1)

/* What an engine says of a container; "" where it says nothing. */
typedef struct EngineWord {
        const char *type; /* "sandbox": it only holds a pod's namespaces */
        const char *pod;
        const char *pod_name;
        const char *pod_namespace;
        const char *pod_uid;
        const char *container_name;
        const char *image;
} EngineWord;

/* By the name that the node's configuration uses: "containerd", "cri-o", "podman". */
bool engine_by_name(const char *name, Engine *ret_engine);

/* Of the container `id` with its bundle there. `stored`: podman's list of containers, two
 * directories above, has it (hook/storage.h). */
Engine engine_of_bundle(const char *id, const char *bundle, bool stored);
