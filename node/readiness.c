/* SPDX-License-Identifier: Apache-2.0 */

/* The API server is trusted, its answers are still bounded (request.c) and read by type. */
#include "node/readiness.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *document_free(json_t *document) {
        json_decref(document);
        return NULL;
}
DEFINE_CLEANUP(json_t *, document_free);

static json_t *parse(const char *json, Error *error) {
        json_error_t where;
        json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, &where);

        if (document == NULL)
                (void)error_set(error, ERROR_PEER, 0, "the API server's answer:%d:%d: %s",
                        where.line, where.column, where.text);
        return document;
}

/* A member some levels down, or NULL. */
static json_t *member(json_t *value, const char *first, const char *second) {
        value = json_object_get(value, first);
        return second != NULL ? json_object_get(value, second) : value;
}

static bool is_text(json_t *value, const char *text) {
        return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

int readiness_read_node(const char *json, const char *handler, const char *label,
        NodeFacts *ret_facts, Error *error) {
        cleanup(document_freep) json_t *document = parse(json, error);
        NodeFacts facts = { 0 };
        json_t *entry;
        size_t i;

        if (document == NULL)
                return -1;
        json_array_foreach(member(document, "status", "runtimeHandlers"), i, entry)
                facts.has_handler =
                facts.has_handler || is_text(json_object_get(entry, "name"), handler);
        facts.is_labelled =
                is_text(json_object_get(member(document, "metadata", "labels"), label), "true");
        *ret_facts = facts;
        return 0;
}

static bool is_ready(json_t *pod) {
        json_t *condition;
        size_t i;

        json_array_foreach(member(pod, "status", "conditions"), i,
                condition) if (is_text(json_object_get(condition, "type"),
                                       "Ready")) return is_text(json_object_get(condition,
                                                                        "status"),
                "True");
        return false;
}

static void copy_text(json_t *value, char *text, size_t size) {
        (void)snprintf(text, size, "%s", json_is_string(value) ? json_string_value(value) : "");
}

int readiness_read_pods(const char *json, PodFacts *ret_facts, Error *error) {
        cleanup(document_freep) json_t *document = parse(json, error);
        PodFacts facts = { 0 };
        json_t *pod;
        size_t i;

        if (document == NULL)
                return -1;
        json_array_foreach(json_object_get(document, "items"), i, pod) {
                if (member(pod, "metadata", "deletionTimestamp") != NULL)
                        continue;
                facts.exists = true;
                facts.is_ready = is_ready(pod);
                copy_text(member(pod, "metadata", "name"), facts.name, sizeof(facts.name));
                copy_text(member(pod, "metadata", "uid"), facts.uid, sizeof(facts.uid));
        }
        *ret_facts = facts;
        return 0;
}

int readiness_read_rollout(const char *json, RolloutFacts *ret_facts, Error *error) {
        cleanup(document_freep) json_t *document = parse(json, error);
        json_int_t generation;

        if (document == NULL)
                return -1;
        generation = json_integer_value(member(document, "metadata", "generation"));
        *ret_facts = (RolloutFacts){
                .is_observed = json_integer_value(member(
                                       document, "status", "observedGeneration")) >= generation &&
                               generation > 0,
                .desired = (long)json_integer_value(
                        member(document, "status", "desiredNumberScheduled")),
                .updated = (long)json_integer_value(
                        member(document, "status", "updatedNumberScheduled")),
        };
        return 0;
}

int readiness_count_pods(const char *json, size_t *ret_all, size_t *ret_running, Error *error) {
        cleanup(document_freep) json_t *document = parse(json, error);
        size_t i, running = 0;
        json_t *items, *pod;

        if (document == NULL)
                return -1;
        items = json_object_get(document, "items");
        json_array_foreach(items, i, pod) running +=
                member(pod, "metadata", "deletionTimestamp") == NULL &&
                is_text(member(pod, "status", "phase"), "Running");
        *ret_all = json_array_size(items);
        *ret_running = running;
        return 0;
}

int readiness_each_name(const char *json,
        int (*each)(const char *name, void *context, Error *error), void *context, Error *error) {
        cleanup(document_freep) json_t *document = parse(json, error);
        json_t *object;
        size_t i;

        if (document == NULL)
                return -1;
        json_array_foreach(json_object_get(document, "items"), i, object) {
                const char *name = json_string_value(member(object, "metadata", "name"));

                if (name != NULL && each(name, context, error) < 0)
                        return -1;
        }
        return 0;
}

void readiness_status_message(const char *json, char *ret_message, size_t size) {
        cleanup(document_freep) json_t *document = json_loads(json, 0, NULL);

        copy_text(json_object_get(document, "message"), ret_message, size);
}
