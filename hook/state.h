/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * State: what the runtime says on standard input about the container it is creating (OCI runtime
 * specification, "State"), and what the annotations in it say: ours, and the names that a
 * container engine gives.
 *
 * Some annotations are the engine's, the others the pod's author's, keys and values: state_parse()
 * runs in a jail, and which are the engine's is decided afterwards, by state_hear().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"
#include "hook/engine.h"

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
        bool stopped;   /* stage poststop: it has ended, and is being forgotten */
        uint32_t pid;   /* of init, in the host's pid namespace; 0 once it has stopped */
        const char *id;
        const char *bundle;
        const char *policy; /* annotations; "" when absent */
        const char *target;
        EngineWord said[ENGINE_COUNT]; /* what stands under the keys of each engine, by whomever */
        EngineWord engine;             /* of these, what the engine says; see state_hear() */
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

/* Fills state->engine: believes what stands under the keys of this engine, and nothing else.
 * ERROR_INPUT: its pod id is no plain name; or the engine is unknown, and yet there is something
 * under the keys of a CRI engine, which an author has written, or an engine that keeps its bundles
 * elsewhere. */
int state_hear(State *state, Engine engine, Error *error);
/* The container that only holds a pod's namespaces. */
bool state_is_pause(const State *state);

/* True for what may be one component of a path of ours: 1 to 128 letters, digits, '_', '-', '.',
 * the first no '.'. */
bool state_name_is_plain(const char *name);
