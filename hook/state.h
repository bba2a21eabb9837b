/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * State: what the runtime says on standard input about the container it is creating (OCI runtime
 * specification, "State"), and what the annotations in it say: ours, and the names that the
 * container engine gives.
 *
 * The keys were put there by the engine, the values partly by whoever wrote the pod: state_parse()
 * runs in a jail.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"

/* Kubernetes bounds a pod's annotations to 256 KiB; escaped by JSON, and a second time inside
 * CRI-O's copy, they stay below this. */
#define STATE_SIZE_MAX ((size_t)4 * 1024 * 1024)

#define ANNOTATION_DOMAIN "navigator.sandbox"
#define ANNOTATION_PREFIX ANNOTATION_DOMAIN "/"
#define ANNOTATION_INJECT ANNOTATION_PREFIX "inject"
#define ANNOTATION_POLICY ANNOTATION_PREFIX "policy"
#define ANNOTATION_TARGET ANNOTATION_PREFIX "container"

typedef struct State {
        bool annotated; /* false: nothing else is filled, and the container is none of our business
                         */
        bool pause;     /* the container that only holds a pod's namespaces */
        bool stopped;   /* stage poststop: it has ended, and is being forgotten */
        uint32_t pid;   /* of init, in the host's pid namespace; 0 once it has stopped */
        const char *id;
        const char *bundle;
        const char *policy; /* annotations; "" when absent */
        const char *target;
        const char *pod; /* what the engine says; "" when it does not */
        const char *pod_name;
        const char *pod_namespace;
        const char *pod_uid;
        const char *container_name;
        const char *image;
} State;

typedef struct StateText {
        const char *text;
        size_t size;
} StateText;

/* A JailParser of a StateText. Refuses, naming the key: what is not JSON of the expected shape, an
 * annotation of ours that is unknown, too long or not printable, `inject` with another value than
 * "true", ours without `inject`; and a container that already runs. */
int state_parse(const void *state_text, Packer *result, Error *error);

/* Borrows from data. 0, or -1 with ERROR_PEER. */
int state_unpack(const void *data, size_t size, State *ret_state, Error *error);

/* True for what may be one component of a path of ours: 1 to 128 letters, digits, '_', '-', '.',
 * the first no '.'. */
bool state_name_is_plain(const char *name);
