/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Programs parse this: a key keeps its name and its type, new ones may come.
 */
#include "policy/json.h"

#include "base/path.h"
#include "policy/compare.h"
#include "policy/cover.h"
#include "policy/json_value.h"

char *json_check(const char *file, const Policy *policy, const Diagnostics *diagnostics) {
        json_t *object = json_object();
        json_t *errors;

        value_set_text(object, "file", file);
        value_set_bool(object, "valid", policy != NULL);
        if (policy != NULL) {
                value_set_hash(object, policy);
                value_set_findings(object, policy);
                return value_finish(object);
        }
        errors = value_set_list(object, "errors");
        for (uint32_t i = 0; i < diagnostics->count; i++)
                value_add_message(
                        errors, NULL, diagnostics->items[i].position, diagnostics->items[i].text);
        (void)json_object_set_new(
                object, "more", json_integer(diagnostics->total - diagnostics->count));
        return value_finish(object);
}

/* ---- explain, diff ---- */

char *json_decision(const PolicyRequest *request, const PolicyDecision *decision) {
        json_t *object = json_object();
        char text[512];

        value_set_text(object, "host", request->host);
        (void)json_object_set_new(object, "port", json_integer(request->port));
        value_set_text(object, "binary", request->program_count > 0 ? request->programs[0].path : "");
        value_set_bool(object, "allowed", decision->allowed);
        value_set_bool(object, "recorded", decision->recorded);
        value_set_text(object, "reason", policy_reason_name(decision->reason));
        policy_decision_text(decision, request, text, sizeof(text));
        value_set_text(object, "text", text);
        if (decision->network != NULL) {
                value_set_text(object, "policy", decision->network->key);
                value_set_place(object, decision->endpoint->position);
        }
        return value_finish(object);
}

char *json_path(const char *path, const PolicyPath *paths, uint32_t count) {
        PolicyAccess access = cover_access(paths, count, path);
        json_t *object = json_object(), *list;

        value_set_text(object, "path", path);
        value_set_text(object, "access", access != 0 ? policy_access_name(access) : "denied");
        list = value_set_list(object, "by");
        for (uint32_t i = 0; i < count; i++)
                if (path_covers(paths[i].path, path))
                        (void)json_array_append_new(list, value_path(&paths[i]));
        return value_finish(object);
}

static void set_changes(
        json_t *object, const char *key, const Comparison *comparison, ChangeKind kind) {
        json_t *list = value_set_list(object, key);

        for (const Change *change = comparison->first; change != NULL; change = change->next)
                if (change->kind == kind)
                        value_add_message(list, NULL, change->position, change->text);
}

char *json_comparison(const Comparison *comparison) {
        json_t *object = json_object();

        set_changes(object, "wider", comparison, CHANGE_WIDER);
        set_changes(object, "narrower", comparison, CHANGE_NARROWER);
        set_changes(object, "other", comparison, CHANGE_OTHER);
        return value_finish(object);
}
