/* SPDX-License-Identifier: Apache-2.0 */

/*
 * jansson keeps the order in which keys are set, so the output can be compared as text. Memory that
 * runs out shows as NULL at the end: jansson ignores what is done to a NULL object.
 */
#include "policy/json_value.h"

#include "base/sha256.h"
#include "policy/flat.h"

#include <string.h>

/* Text of a file is UTF-8; a message that was cut may end inside a character. */
json_t *value_text(const char *text) {
        json_t *value = json_string(text);
        size_t size = strlen(text);

        while (value == NULL && size > 0)
                value = json_stringn(text, --size);
        return value != NULL ? value : json_string("");
}

void value_set_text(json_t *object, const char *key, const char *text) {
        (void)json_object_set_new(object, key, value_text(text));
}

void value_set_bool(json_t *object, const char *key, bool value) {
        (void)json_object_set_new(object, key, json_boolean(value));
}

void value_set_place(json_t *object, PolicyPosition position) {
        if (position.line == 0)
                return;
        (void)json_object_set_new(object, "line", json_integer(position.line));
        (void)json_object_set_new(object, "column", json_integer(position.column));
}

/* NULL without memory: then nothing can be added to it, which is fine. */
json_t *value_set_list(json_t *object, const char *key) {
        json_t *list = json_array();

        return json_object_set_new(object, key, list) == 0 ? list : NULL;
}

char *value_finish(json_t *object) {
        char *text = object != NULL ? json_dumps(object, JSON_INDENT(2)) : NULL;

        json_decref(object);
        return text;
}

void value_set_hash(json_t *object, const Policy *policy) {
        uint8_t digest[SHA256_SIZE];
        char text[SHA256_TEXT_SIZE];

        if (policy_hash(policy, digest) < 0)
                return;
        sha256_text(digest, text);
        value_set_text(object, "hash", text);
}

void value_add_message(json_t *list, const char *kind, PolicyPosition position, const char *text) {
        json_t *item = json_object();

        if (kind != NULL)
                value_set_text(item, "kind", kind);
        value_set_place(item, position);
        value_set_text(item, "text", text);
        (void)json_array_append_new(list, item);
}

void value_set_findings(json_t *object, const Policy *policy) {
        json_t *list = value_set_list(object, "findings");

        for (uint32_t i = 0; i < policy->finding_count; i++)
                value_add_message(list, policy_finding_name(policy->findings[i].kind),
                        policy->findings[i].position, policy->findings[i].text);
}

json_t *value_path(const PolicyPath *path) {
        json_t *item = json_object();

        value_set_text(item, "path", path->path);
        value_set_text(item, "access", policy_access_name(path->access));
        value_set_text(item, "origin", policy_origin_name(path->origin));
        value_set_bool(item, "must_exist", path->must_exist);
        value_set_place(item, path->position);
        return item;
}
