/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readiness: what the API server's documents say about a node. Pure: JSON text in, a few facts out;
 * what is missing or of another type counts as "no", never as "yes".
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define READINESS_UID_MAX 64U

typedef struct NodeFacts {
        bool has_handler; /* status.runtimeHandlers names ours: the runtime has loaded it */
        bool is_labelled; /* metadata.labels says ready */
} NodeFacts;

int readiness_read_node(const char *json, const char *handler, const char *label,
        NodeFacts *ret_facts, Error *error);

/* Of a list of pods, the one that is not being deleted. */
typedef struct PodFacts {
        bool exists;
        bool is_ready;
        char name[254]; /* DNS subdomain */
        char uid[READINESS_UID_MAX];
} PodFacts;

int readiness_read_pods(const char *json, PodFacts *ret_facts, Error *error);

/* How far a DaemonSet has rolled out its present template. */
typedef struct RolloutFacts {
        bool is_observed; /* its controller has seen this generation */
        long desired, updated;
} RolloutFacts;

int readiness_read_rollout(const char *json, RolloutFacts *ret_facts, Error *error);

/* Of a list of pods: how many there are, and how many are past their init containers and not being
 * deleted. */
int readiness_count_pods(const char *json, size_t *ret_all, size_t *ret_running, Error *error);

/* Calls `each` with the name of every object of a list, until it returns less than 0; that is
 * returned. */
int readiness_each_name(const char *json,
        int (*each)(const char *name, void *context, Error *error), void *context, Error *error);

/* The `message` of a Status; "" when the text is none. */
void readiness_status_message(const char *json, char *ret_message, size_t size);
