/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Written piece by piece: a policy as one tree of jansson's takes ten times the memory of the
 * policy.
 */
#include "policy/json.h"

#include "policy/decide.h"
#include "policy/json_value.h"

#include <errno.h>

/* An object or a list that is being written, in another one. */
typedef struct Stream {
        FILE *out;
        unsigned depth;
        bool empty; /* the innermost has nothing in it yet */
        bool failed;
} Stream;

static void put_line(Stream *stream) {
        fprintf(stream->out, "\n%*s", (int)(2 * stream->depth), "");
}

/* A piece of jansson's text, whose lines get our indentation. */
static int put_piece(const char *text, size_t size, void *context) {
        Stream *stream = context;

        for (size_t i = 0; i < size; i++)
                if (text[i] == '\n')
                        put_line(stream);
                else
                        fputc(text[i], stream->out);
        return 0;
}

static void put_value(Stream *stream, json_t *value) {
        if (value == NULL ||
                json_dump_callback(value, put_piece, stream, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0)
                stream->failed = true;
        json_decref(value);
}

/* key is NULL in a list. */
static void put_key(Stream *stream, const char *key) {
        if (!stream->empty)
                fputc(',', stream->out);
        stream->empty = false;
        put_line(stream);
        if (key == NULL)
                return;
        put_value(stream, value_text(key));
        fputs(": ", stream->out);
}

static void put(Stream *stream, const char *key, json_t *value) {
        put_key(stream, key);
        put_value(stream, value);
}

static void put_text(Stream *stream, const char *key, const char *text) {
        put(stream, key, value_text(text));
}

static void put_place(Stream *stream, PolicyPosition position) {
        if (position.line == 0)
                return;
        put(stream, "line", json_integer(position.line));
        put(stream, "column", json_integer(position.column));
}

static void begin(Stream *stream, const char *key, char bracket) {
        if (stream->depth > 0)
                put_key(stream, key);
        fputc(bracket, stream->out);
        stream->depth++;
        stream->empty = true;
}

static void end(Stream *stream, char bracket) {
        stream->depth--;
        if (!stream->empty)
                put_line(stream);
        fputc(bracket, stream->out);
        stream->empty = false;
}

/* ---- the policy ---- */

static json_t *query_json(const PolicyRule *rule) {
        json_t *query = json_object();

        for (uint32_t i = 0; i < rule->query_count; i++) {
                json_t *values = value_set_list(query, rule->query[i].name);

                for (uint32_t j = 0; j < rule->query[i].value_count; j++)
                        (void)json_array_append_new(values, value_text(rule->query[i].values[j]));
        }
        return query;
}

static json_t *rule_json(const PolicyRule *rule) {
        json_t *item = json_object();

        value_set_text(item, "method", rule->method);
        value_set_text(item, "path", rule->path);
        if (rule->query_count > 0)
                (void)json_object_set_new(item, "query", query_json(rule));
        return item;
}

static void put_rules(Stream *stream, const char *key, const PolicyRule *rules, uint32_t count) {
        if (count == 0)
                return;
        begin(stream, key, '[');
        for (uint32_t i = 0; i < count; i++)
                put(stream, NULL, rule_json(&rules[i]));
        end(stream, ']');
}

static void put_addresses(Stream *stream, const PolicyEndpoint *endpoint) {
        char range[ADDRESS_TEXT_SIZE + 4];

        begin(stream, "allowed_ips", '[');
        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++) {
                address_range_format(&endpoint->allowed_ips[i], range, sizeof(range));
                put_text(stream, NULL, range);
        }
        end(stream, ']');
}

static void put_endpoint(Stream *stream, const PolicyEndpoint *endpoint) {
        begin(stream, NULL, '{');
        put_text(stream, "host", endpoint->host);
        begin(stream, "ports", '[');
        for (uint32_t i = 0; i < endpoint->port_count; i++)
                put(stream, NULL, json_integer(endpoint->ports[i]));
        end(stream, ']');
        put_addresses(stream, endpoint);
        put_text(stream, "protocol", policy_protocol_name(endpoint->protocol));
        put_text(stream, "tls", endpoint->tls == POLICY_TLS_SKIP ? "skip" : "");
        put_text(stream, "enforcement",
                endpoint->enforcement == POLICY_AUDIT ? "audit" : "enforce");
        put_text(stream, "access", policy_preset_name(endpoint->access));
        put_text(stream, "path", endpoint->path);
        put_text(stream, "settings", endpoint->settings);
        put_rules(stream, "rules", endpoint->rules, endpoint->rule_count);
        put_rules(stream, "deny_rules", endpoint->deny_rules, endpoint->deny_rule_count);
        put(stream, "inspectable", json_boolean(policy_uninspectable(endpoint) == NULL));
        put_place(stream, endpoint->position);
        end(stream, '}');
}

static void put_network(Stream *stream, const PolicyNetwork *network) {
        begin(stream, network->key, '{');
        put_text(stream, "name", network->name);
        begin(stream, "endpoints", '[');
        for (uint32_t i = 0; i < network->endpoint_count; i++)
                put_endpoint(stream, &network->endpoints[i]);
        end(stream, ']');
        begin(stream, "binaries", '[');
        for (uint32_t i = 0; i < network->binary_count; i++)
                put_text(stream, NULL, network->binaries[i].path);
        end(stream, ']');
        put_place(stream, network->position);
        end(stream, '}');
}

static void put_networks(Stream *stream, const char *key, const Policy *policy) {
        begin(stream, key, '{');
        for (uint32_t i = 0; i < policy->network_count; i++)
                put_network(stream, &policy->networks[i]);
        end(stream, '}');
}

/* The members that are small, made as an object and written one by one. */
static void put_members(Stream *stream, json_t *object) {
        const char *key;
        json_t *value;

        if (object == NULL)
                stream->failed = true;
        json_object_foreach(object, key, value) put(stream, key, json_incref(value));
        json_decref(object);
}

static json_t *beginning(
        const char *file, const Policy *policy, const PolicyPath *paths, uint32_t path_count) {
        json_t *object = json_object(), *list;

        value_set_text(object, "file", file);
        value_set_hash(object, policy);
        list = value_set_list(object, "paths");
        for (uint32_t i = 0; i < path_count; i++)
                (void)json_array_append_new(list, value_path(&paths[i]));
        value_set_text(object, "landlock", policy_landlock_name(policy->landlock));
        value_set_text(object, "run_as_user", policy->user);
        value_set_text(object, "run_as_group", policy->group);
        return object;
}

int json_show(FILE *out, const char *file, const Policy *policy, const PolicyPath *paths,
        uint32_t path_count) {
        Stream stream = { .out = out };
        json_t *findings = json_object();

        value_set_findings(findings, policy);
        begin(&stream, NULL, '{');
        put_members(&stream, beginning(file, policy, paths, path_count));
        put_networks(&stream, "network_policies", policy);
        if (policy->ceiling != NULL)
                put_networks(&stream, "ceiling_network_policies", policy->ceiling);
        put_members(&stream, findings);
        end(&stream, '}');
        fputc('\n', out);
        return stream.failed ? -ENOMEM : 0;
}
