/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Programs parse this: a key keeps its name and its type, new ones may come. jansson keeps the
 * order in which keys are set, so the output can be compared as text. Memory that runs out shows as
 * NULL at the end: jansson ignores what is done to a NULL object.
 */
#include "policy/json.h"

#include "base/path.h"
#include "base/sha256.h"
#include "policy/compare.h"
#include "policy/cover.h"
#include "policy/flat.h"
#include "policy/keys.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Text of a file is UTF-8; a message that was cut may end inside a character. */
static json_t *text_json(const char *text) {
        json_t *value = json_string(text);
        size_t size = strlen(text);

        while (value == NULL && size > 0)
                value = json_stringn(text, --size);
        return value != NULL ? value : json_string("");
}

static void set_text(json_t *object, const char *key, const char *text) {
        (void)json_object_set_new(object, key, text_json(text));
}

static void set_bool(json_t *object, const char *key, bool value) {
        (void)json_object_set_new(object, key, json_boolean(value));
}

static void set_place(json_t *object, PolicyPosition position) {
        if (position.line == 0)
                return;
        (void)json_object_set_new(object, "line", json_integer(position.line));
        (void)json_object_set_new(object, "column", json_integer(position.column));
}

/* NULL without memory: then nothing can be added to it, which is fine. */
static json_t *set_list(json_t *object, const char *key) {
        json_t *list = json_array();

        return json_object_set_new(object, key, list) == 0 ? list : NULL;
}

static char *finish(json_t *object) {
        char *text = object != NULL ? json_dumps(object, JSON_INDENT(2)) : NULL;

        json_decref(object);
        return text;
}

static void set_hash(json_t *object, const Policy *policy) {
        uint8_t digest[SHA256_SIZE];
        char text[SHA256_TEXT_SIZE];

        if (policy_hash(policy, digest) < 0)
                return;
        sha256_text(digest, text);
        set_text(object, "hash", text);
}

static void add_message(json_t *list, const char *kind, PolicyPosition position, const char *text) {
        json_t *item = json_object();

        if (kind != NULL)
                set_text(item, "kind", kind);
        set_place(item, position);
        set_text(item, "text", text);
        (void)json_array_append_new(list, item);
}

static void set_findings(json_t *object, const Policy *policy) {
        json_t *list = set_list(object, "findings");

        for (uint32_t i = 0; i < policy->finding_count; i++)
                add_message(list, policy_finding_name(policy->findings[i].kind),
                        policy->findings[i].position, policy->findings[i].text);
}

char *json_check(const char *file, const Policy *policy, const Diagnostics *diagnostics) {
        json_t *object = json_object();
        json_t *errors;

        set_text(object, "file", file);
        set_bool(object, "valid", policy != NULL);
        if (policy != NULL) {
                set_hash(object, policy);
                set_findings(object, policy);
                return finish(object);
        }
        errors = set_list(object, "errors");
        for (uint32_t i = 0; i < diagnostics->count; i++)
                add_message(
                        errors, NULL, diagnostics->items[i].position, diagnostics->items[i].text);
        (void)json_object_set_new(
                object, "more", json_integer(diagnostics->total - diagnostics->count));
        return finish(object);
}

/* ---- show ---- */

static json_t *path_json(const PolicyPath *path) {
        json_t *item = json_object();

        set_text(item, "path", path->path);
        set_text(item, "access", policy_access_name(path->access));
        set_text(item, "origin", policy_origin_name(path->origin));
        set_bool(item, "must_exist", path->must_exist);
        set_place(item, path->position);
        return item;
}

static json_t *query_json(const PolicyRule *rule) {
        json_t *query = json_object();

        for (uint32_t i = 0; i < rule->query_count; i++) {
                json_t *values = set_list(query, rule->query[i].name);

                for (uint32_t j = 0; j < rule->query[i].value_count; j++)
                        (void)json_array_append_new(values, text_json(rule->query[i].values[j]));
        }
        return query;
}

static json_t *rule_json(const PolicyRule *rule) {
        json_t *item = json_object();

        set_text(item, "method", rule->method);
        set_text(item, "path", rule->path);
        if (rule->query_count > 0)
                (void)json_object_set_new(item, "query", query_json(rule));
        return item;
}

static void set_rules(json_t *object, const char *key, const PolicyRule *rules, uint32_t count) {
        json_t *list;

        if (count == 0)
                return;
        list = set_list(object, key);
        for (uint32_t i = 0; i < count; i++)
                (void)json_array_append_new(list, rule_json(&rules[i]));
}

static json_t *endpoint_json(const PolicyEndpoint *endpoint) {
        json_t *item = json_object(), *list;
        char range[ADDRESS_TEXT_SIZE + 4];

        set_text(item, "host", endpoint->host);
        list = set_list(item, "ports");
        for (uint32_t i = 0; i < endpoint->port_count; i++)
                (void)json_array_append_new(list, json_integer(endpoint->ports[i]));
        list = set_list(item, "allowed_ips");
        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++) {
                address_range_format(&endpoint->allowed_ips[i], range, sizeof(range));
                (void)json_array_append_new(list, text_json(range));
        }
        set_text(item, "protocol", policy_protocol_name(endpoint->protocol));
        set_text(item, "tls", endpoint->tls == POLICY_TLS_SKIP ? "skip" : "");
        set_text(item, "enforcement", endpoint->enforcement == POLICY_AUDIT ? "audit" : "enforce");
        set_text(item, "access", policy_preset_name(endpoint->access));
        set_text(item, "path", endpoint->path);
        set_rules(item, "rules", endpoint->rules, endpoint->rule_count);
        set_rules(item, "deny_rules", endpoint->deny_rules, endpoint->deny_rule_count);
        set_bool(item, "inspectable", policy_uninspectable(endpoint) == NULL);
        set_place(item, endpoint->position);
        return item;
}

static json_t *network_json(const PolicyNetwork *network) {
        json_t *item = json_object(), *list;

        set_text(item, "name", network->name);
        list = set_list(item, "endpoints");
        for (uint32_t i = 0; i < network->endpoint_count; i++)
                (void)json_array_append_new(list, endpoint_json(&network->endpoints[i]));
        list = set_list(item, "binaries");
        for (uint32_t i = 0; i < network->binary_count; i++)
                (void)json_array_append_new(list, text_json(network->binaries[i].path));
        set_place(item, network->position);
        return item;
}

static void set_networks(json_t *object, const char *key, const Policy *policy) {
        json_t *networks = json_object();

        for (uint32_t i = 0; i < policy->network_count; i++)
                (void)json_object_set_new(
                        networks, policy->networks[i].key, network_json(&policy->networks[i]));
        (void)json_object_set_new(object, key, networks);
}

char *json_show(
        const char *file, const Policy *policy, const PolicyPath *paths, uint32_t path_count) {
        json_t *object = json_object(), *list;

        set_text(object, "file", file);
        set_hash(object, policy);
        list = set_list(object, "paths");
        for (uint32_t i = 0; i < path_count; i++)
                (void)json_array_append_new(list, path_json(&paths[i]));
        set_text(object, "landlock", policy_landlock_name(policy->landlock));
        set_text(object, "run_as_user", policy->user);
        set_text(object, "run_as_group", policy->group);
        set_networks(object, "network_policies", policy);
        if (policy->ceiling != NULL)
                set_networks(object, "ceiling_network_policies", policy->ceiling);
        set_findings(object, policy);
        return finish(object);
}

/* ---- explain, diff ---- */

char *json_decision(const PolicyRequest *request, const PolicyDecision *decision) {
        json_t *object = json_object();
        char text[512];

        set_text(object, "host", request->host);
        (void)json_object_set_new(object, "port", json_integer(request->port));
        set_text(object, "binary", request->program_count > 0 ? request->programs[0].path : "");
        set_bool(object, "allowed", decision->allowed);
        set_bool(object, "recorded", decision->recorded);
        set_text(object, "reason", policy_reason_name(decision->reason));
        policy_decision_text(decision, request, text, sizeof(text));
        set_text(object, "text", text);
        if (decision->network != NULL) {
                set_text(object, "policy", decision->network->key);
                set_place(object, decision->endpoint->position);
        }
        return finish(object);
}

char *json_path(const char *path, const PolicyPath *paths, uint32_t count) {
        PolicyAccess access = cover_access(paths, count, path);
        json_t *object = json_object(), *list;

        set_text(object, "path", path);
        set_text(object, "access", access != 0 ? policy_access_name(access) : "denied");
        list = set_list(object, "by");
        for (uint32_t i = 0; i < count; i++)
                if (path_covers(paths[i].path, path))
                        (void)json_array_append_new(list, path_json(&paths[i]));
        return finish(object);
}

static void set_changes(
        json_t *object, const char *key, const Comparison *comparison, ChangeKind kind) {
        json_t *list = set_list(object, key);

        for (const Change *change = comparison->first; change != NULL; change = change->next)
                if (change->kind == kind)
                        add_message(list, NULL, change->position, change->text);
}

char *json_comparison(const Comparison *comparison) {
        json_t *object = json_object();

        set_changes(object, "wider", comparison, CHANGE_WIDER);
        set_changes(object, "narrower", comparison, CHANGE_NARROWER);
        set_changes(object, "other", comparison, CHANGE_OTHER);
        return finish(object);
}

/* ---- schema ---- */

/* Draft 7 is what editors' language servers read best. Sections are definitions; a section that is
 * met is defined once, which also ends the recursion. */
typedef struct Schema {
        json_t *definitions; /* borrowed from the object that is made */
} Schema;

static json_t *section_json(Schema *schema, const KeySection *section);

static json_t *typed(const char *type) {
        json_t *object = json_object();

        set_text(object, "type", type);
        return object;
}

static json_t *reference_json(Schema *schema, const KeySection *section) {
        json_t *object = json_object();
        char place[128];

        if (json_object_get(schema->definitions, section->title) == NULL) {
                /* holds the place while the section is made */
                (void)json_object_set_new(schema->definitions, section->title, json_true());
                (void)json_object_set_new(
                        schema->definitions, section->title, section_json(schema, section));
        }
        (void)snprintf(place, sizeof(place), "#/definitions/%s", section->title);
        set_text(object, "$ref", place);
        return object;
}

static json_t *number_json(const Key *key) {
        json_t *object = typed("integer");

        (void)json_object_set_new(object, "minimum", json_integer(key->minimum));
        (void)json_object_set_new(object, "maximum", json_integer(key->maximum));
        return object;
}

static json_t *choices_json(const Key *key) {
        json_t *object = json_object(), *list = set_list(object, "enum");

        for (size_t i = 0; key->choices[i] != NULL; i++)
                (void)json_array_append_new(list, text_json(key->choices[i]));
        return object;
}

static json_t *list_json(json_t *item) {
        json_t *object = typed("array");

        (void)json_object_set_new(object, "items", item);
        return object;
}

static json_t *names_json(json_t *value) {
        json_t *object = typed("object");

        (void)json_object_set_new(object, "additionalProperties", value);
        return object;
}

static json_t *either_json(json_t *first, json_t *second) {
        json_t *object = json_object(), *list = set_list(object, "anyOf");

        (void)json_array_append_new(list, first);
        (void)json_array_append_new(list, second);
        return object;
}

static json_t *matcher_json(Schema *schema, const Key *key) {
        return either_json(typed("string"), reference_json(schema, key->section));
}

static json_t *empty_json(void) {
        json_t *object = typed("object");

        (void)json_object_set_new(object, "maxProperties", json_integer(0));
        return object;
}

static json_t *kind_json(Schema *schema, const Key *key) {
        switch (key->kind) {
        case KEY_SCALAR:
                return either_json(typed("string"), typed("integer"));
        case KEY_BOOL:
                return typed("boolean");
        case KEY_NUMBER:
                return number_json(key);
        case KEY_CHOICE:
                return choices_json(key);
        case KEY_TEXTS:
                return list_json(typed("string"));
        case KEY_NUMBERS:
                return list_json(number_json(key));
        case KEY_MATCHER:
                return matcher_json(schema, key);
        case KEY_MAP:
                return reference_json(schema, key->section);
        case KEY_MAPS:
                return list_json(reference_json(schema, key->section));
        case KEY_NAMED:
                return names_json(reference_json(schema, key->section));
        case KEY_NAMED_MATCHERS:
                return names_json(matcher_json(schema, key));
        case KEY_ANYTHING:
                return empty_json();
        case KEY_TEXT:
        default:
                return typed("string");
        }
}

static json_t *key_json(Schema *schema, const Key *key) {
        json_t *object = kind_json(schema, key), *described;

        if (json_object_get(object, "$ref") == NULL) {
                set_text(object, "description", key->help);
                return object;
        }
        /* draft 7 ignores what stands beside a $ref */
        described = json_object();
        set_text(described, "description", key->help);
        (void)json_array_append_new(set_list(described, "allOf"), object);
        return described;
}

static json_t *section_json(Schema *schema, const KeySection *section) {
        json_t *object = typed("object"), *properties = json_object(), *required = json_array();

        if (section->help != NULL)
                set_text(object, "description", section->help);
        set_bool(object, "additionalProperties", false);
        for (size_t i = 0; i < section->count; i++) {
                const Key *key = &section->keys[i];

                (void)json_object_set_new(properties, key->name, key_json(schema, key));
                if (key->former != NULL)
                        (void)json_object_set_new(properties, key->former, key_json(schema, key));
                if (key->required)
                        (void)json_array_append_new(required, text_json(key->name));
        }
        (void)json_object_set_new(object, "properties", properties);
        if (json_array_size(required) > 0)
                (void)json_object_set_new(object, "required", required);
        else
                json_decref(required);
        return object;
}

char *json_schema(void) {
        Schema schema = { .definitions = json_object() };
        json_t *object = section_json(&schema, &keys_policy), *whole = json_object();

        set_text(whole, "$schema", "http://json-schema.org/draft-07/schema#");
        set_text(whole, "title", "Navigator policy");
        (void)json_object_update(whole, object);
        json_decref(object);
        (void)json_object_set_new(whole, "definitions", schema.definitions);
        return finish(whole);
}
