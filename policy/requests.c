/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keys about single requests: protocol, access, rules, deny_rules and what goes with them. They
 * are judged in full although this build reads no requests, so that a file is right or wrong for
 * the same reasons everywhere; an endpoint that has them is denied until they can be kept.
 */
#include "policy/build.h"

#include "policy/decide.h"
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

typedef struct Context {
        Build *build;
        const char *network;
        const char *protocol_name;
        PolicyProtocol protocol;
        bool any_method; /* mcp.allow_all_known_mcp_methods: rules may leave the method out */
} Context;

static bool reads_requests(PolicyProtocol protocol) {
        return protocol >= POLICY_PROTOCOL_REST;
}

static bool has_items(const Node *list) {
        return list != NULL && list->count > 0;
}

/* ---- keys that need a protocol ---- */

static int refuse_without_protocol(Build *build, const char *network, const DraftEndpoint *draft) {
        int r = 0;

        for (size_t i = 0; i < keys_endpoint.count; i++) {
                const Key *key = &keys_endpoint.keys[i];
                Draft node = *(const Draft *)(const void *)((const char *)draft + key->offset);

                if (key->effect != KEY_INSPECTION || node == NULL || !build_says_something(key, node))
                        continue;
                r = build_error(build, node->position,
                        "network policy '%s': '%s' needs a protocol that reads requests (rest, "
                        "websocket, "
                        "graphql, sql, json-rpc or mcp)",
                        network, key->name);
        }
        return r;
}

/* ---- matchers ---- */

static int check_matcher(const Context *context, const Node *node, DraftMatcher *ret_matcher) {
        Build *build = context->build;

        if (read_matcher(node, ret_matcher, build->diagnostics) < 0)
                return -1;
        if ((ret_matcher->any != NULL) == (ret_matcher->glob != NULL))
                return build_error(build, node->position,
                        "network policy '%s': a matcher has one of 'any' and 'glob'",
                        context->network);
        if (ret_matcher->any != NULL && ret_matcher->any->count == 0)
                return build_error(build, ret_matcher->any->position,
                        "network policy '%s': any must not be empty", context->network);
        return 0;
}

static int build_query(const Context *context, const Node *map, PolicyRule *rule) {
        Build *build = context->build;
        PolicyQuery *query = arena_array(build->arena, map->count, sizeof(*query));
        int r = read_names(build->arena, map, build->diagnostics);

        if (query == NULL)
                return build_no_memory(build);
        for (const Node *name = map->first; name != NULL; name = name->next->next) {
                PolicyQuery *item = &query[rule->query_count];
                DraftMatcher matcher;
                const char **one;

                if (check_matcher(context, name->next, &matcher) < 0) {
                        r = -1;
                        continue;
                }
                item->name = build_text(build, name);
                if (matcher.any != NULL) {
                        r |= build_texts(build, matcher.any, &item->values, &item->value_count);
                } else {
                        one = arena_array(build->arena, 1, sizeof(*one));
                        if (one == NULL)
                                return build_no_memory(build);
                        one[0] = build_text(build, matcher.glob);
                        item->values = one;
                        item->value_count = 1;
                }
                rule->query_count++;
        }
        rule->query = query;
        return r;
}

/* ---- one rule ---- */

static int complain(const Context *context, PolicyPosition position, const char *what) {
        return build_error(
                context->build, position, "network policy '%s': %s", context->network, what);
}

static const char *const http_keys[] = { "path", "query", NULL };
static const char *const method_keys[] = { "method", NULL };
static const char *const graphql_keys[] = { "operation_type", "operation_name", "fields", NULL };
static const char *const mcp_keys[] = { "tool", "params", NULL };
static const char *const sql_keys[] = { "command", NULL };

/* Which keys a protocol's rules do not have. */
static int refuse_keys(const Context *context, const DraftMatch *draft, const char *const *names) {
        int r = 0;

        for (; *names != NULL; names++) {
                const Key *key = keys_find(&keys_deny, *names);
                Draft node = *(const Draft *)(const void *)((const char *)draft + key->offset);

                if (node != NULL)
                        r = build_error(context->build, node->position,
                                "network policy '%s': %s is not a key of a %s rule",
                                context->network, *names, context->protocol_name);
        }
        return r;
}

static int check_foreign_keys(const Context *context, const DraftMatch *draft) {
        bool json = context->protocol == POLICY_PROTOCOL_JSON_RPC ||
                    context->protocol == POLICY_PROTOCOL_MCP;
        bool graphql = context->protocol == POLICY_PROTOCOL_GRAPHQL ||
                       context->protocol == POLICY_PROTOCOL_WEBSOCKET;
        int r = 0;

        if (json || context->protocol == POLICY_PROTOCOL_GRAPHQL ||
                context->protocol == POLICY_PROTOCOL_SQL)
                r |= refuse_keys(context, draft, http_keys);
        if (context->protocol == POLICY_PROTOCOL_GRAPHQL ||
                context->protocol == POLICY_PROTOCOL_SQL)
                r |= refuse_keys(context, draft, method_keys);
        if (!graphql)
                r |= refuse_keys(context, draft, graphql_keys);
        if (context->protocol != POLICY_PROTOCOL_MCP)
                r |= refuse_keys(context, draft, mcp_keys);
        if (context->protocol != POLICY_PROTOCOL_SQL)
                r |= refuse_keys(context, draft, sql_keys);
        return r;
}

static bool is_method(const char *method) {
        size_t size = strlen(method);

        if (strcmp(method, "*") == 0)
                return true;
        return size > 0 && size <= 32 &&
               strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-") == size;
}

static int check_http(const Context *context, const Node *map, const DraftMatch *draft) {
        const char *path = draft->path != NULL ? draft->path->text : "";

        if (draft->method == NULL)
                return complain(context, map->position, "a rule needs a method; * is any");
        if (!is_method(draft->method->text))
                return complain(
                        context, draft->method->position, "method is not an HTTP method or '*'");
        if (draft->path == NULL)
                return complain(context, map->position, "a rule needs a path; ** is any");
        if (path[0] != '/' && strcmp(path, "**") != 0 && strcmp(path, "*") != 0)
                return complain(context, draft->path->position,
                        "a rule's path must start with '/' or be '**'");
        return 0;
}

static int check_graphql(const Context *context, const Node *map, const DraftMatch *draft) {
        if (draft->operation_type == NULL)
                return complain(
                        context, map->position, "a GraphQL rule needs an operation_type; * is any");
        if (draft->fields != NULL && draft->fields->count == 0)
                return complain(context, draft->fields->position,
                        "fields must not be empty; leave it out to match all");
        return 0;
}

static int check_json_rpc(const Context *context, const Node *map, const DraftMatch *draft) {
        const char *method = draft->method != NULL ? draft->method->text : "";

        if (method[0] == '\0')
                return complain(context, map->position, "a json-rpc rule needs a method; * is any");
        if (draft->method != NULL && strcmp(method, "*") != 0 && strpbrk(method, "*?[") != NULL)
                return complain(context, draft->method->position,
                        "a json-rpc method is exact, or '*' alone");
        return 0;
}

static int check_mcp(const Context *context, const Node *map, const DraftMatch *draft) {
        const char *method = draft->method != NULL ? draft->method->text : "";
        DraftMatcher matcher;
        int r = 0;

        if (method[0] == '\0' && !context->any_method)
                return complain(context, map->position,
                        "an mcp rule needs a method, unless mcp.allow_all_known_mcp_methods is "
                        "true");
        if (draft->method != NULL && strpbrk(method, "*?[") != NULL &&
                strncmp(method, "tools/", 6) != 0)
                r |= complain(context, draft->method->position,
                        "an mcp method has wildcards only below 'tools/'");
        if ((draft->tool != NULL || draft->params != NULL) && method[0] != '\0' &&
                strcmp(method, "tools/call") != 0)
                r |= complain(context, draft->method->position,
                        "a rule with a tool has the method 'tools/call'");
        if (draft->tool != NULL && draft->params != NULL)
                r |= complain(context, draft->params->position,
                        "use either tool or params.name, not both");
        if (draft->tool != NULL)
                r |= check_matcher(context, draft->tool, &matcher);
        for (const Node *name = draft->params != NULL ? draft->params->first : NULL; name != NULL;
                name = name->next->next) {
                if (strcmp(name->text, "name") != 0)
                        r |= complain(context, name->position, "params can match name only");
                else
                        r |= check_matcher(context, name->next, &matcher);
        }
        return r;
}

static bool is_graphql_rule(const DraftMatch *draft) {
        return draft->operation_type != NULL || draft->operation_name != NULL ||
               draft->fields != NULL;
}

static int check_match(const Context *context, const Node *map, const DraftMatch *draft) {
        switch (context->protocol) {
        case POLICY_PROTOCOL_WEBSOCKET:
                if (!is_graphql_rule(draft))
                        return check_http(context, map, draft);
                if (draft->method != NULL || draft->path != NULL || draft->query != NULL)
                        return complain(context, map->position,
                                "one rule is about requests (method, path) or about GraphQL "
                                "operations, not both");
                return check_graphql(context, map, draft);
        case POLICY_PROTOCOL_REST:
                return check_http(context, map, draft);
        case POLICY_PROTOCOL_GRAPHQL:
                return check_graphql(context, map, draft);
        case POLICY_PROTOCOL_JSON_RPC:
                return check_json_rpc(context, map, draft);
        case POLICY_PROTOCOL_MCP:
                return check_mcp(context, map, draft);
        case POLICY_PROTOCOL_SQL:
                return draft->command != NULL ? 0
                                              : complain(context, map->position,
                                                        "a sql rule needs a command; * is any");
        case POLICY_PROTOCOL_NONE:
        case POLICY_PROTOCOL_TCP:
        default:
                return 0;
        }
}

static int build_match(
        const Context *context, const Node *map, const KeySection *section, PolicyRule *rule) {
        Build *build = context->build;
        DraftMatch draft;
        int r;

        if (read_section(map, section, &draft, build->diagnostics) < 0)
                return -1;
        r = check_foreign_keys(context, &draft);
        r |= check_match(context, map, &draft);
        *rule = (PolicyRule){ .method = build_text(build, draft.method),
                .path = build_text(build, draft.path),
                .position = map->position };
        if (rule->method == NULL || rule->path == NULL)
                return -1;
        if (draft.query != NULL)
                r |= build_query(context, draft.query, rule);
        return r;
}

/* ---- lists of rules ---- */

static int build_allow(const Context *context, const Node *map, PolicyRule *rule) {
        DraftRule draft;

        if (read_section(map, &keys_rule, &draft, context->build->diagnostics) < 0)
                return -1;
        return build_match(context, draft.allow, &keys_allow, rule);
}

static int build_rules(const Context *context, const Node *list, bool deny,
        const PolicyRule **ret_rules, uint32_t *ret_count) {
        uint32_t count = 0;
        PolicyRule *rules;
        int r = 0;

        if (list == NULL)
                return 0;
        if (list->count == 0)
                return complain(context, list->position,
                        deny ? "deny_rules is empty; leave it out if no request is denied"
                             : "rules is empty; use 'access: full' or leave it out");
        rules = arena_array(context->build->arena, list->count, sizeof(*rules));
        if (rules == NULL)
                return build_no_memory(context->build);
        for (const Node *item = list->first; item != NULL; item = item->next)
                r |= deny ? build_match(context, item, &keys_deny, &rules[count++])
                          : build_allow(context, item, &rules[count++]);
        *ret_rules = rules;
        *ret_count = count;
        return r;
}

/* ---- the combination ---- */

/* What is allowed has to be said, once. */
static int check_base(const Context *context, const DraftEndpoint *draft, PolicyPreset access,
        PolicyPosition position) {
        bool json_rpc = context->protocol == POLICY_PROTOCOL_JSON_RPC,
             mcp = context->protocol == POLICY_PROTOCOL_MCP;
        bool has_access = access != POLICY_PRESET_NONE;

        if (draft->rules != NULL && has_access)
                return complain(context, draft->access->position,
                        "rules and access are mutually exclusive");
        if (has_access && (json_rpc || mcp))
                return build_error(context->build, draft->access->position,
                        "network policy '%s': protocol %s does not support access presets; use "
                        "rules",
                        context->network, context->protocol_name);
        if (draft->rules != NULL || has_access)
                return 0;
        if (json_rpc)
                return complain(context, position,
                        "protocol json-rpc requires explicit rules with allow.method");
        if (mcp)
                return context->any_method ? 0
                                           : complain(context, position,
                                                     "protocol mcp requires rules when "
                                                     "mcp.allow_all_known_mcp_methods is false");
        return complain(context, position,
                has_items(draft->deny_rules)
                        ? "deny_rules require rules or access to define the base allow set"
                        : "protocol requires rules or access to define allowed traffic");
}

static int check_signing(const Context *context, const DraftEndpoint *draft) {
        bool rewrites = draft->request_body_credential_rewrite != NULL &&
                        draft->request_body_credential_rewrite->value != 0;

        if (draft->credential_signing == NULL || draft->credential_signing->text[0] == '\0')
                return 0;
        if (draft->signing_service == NULL || draft->signing_service->text[0] == '\0')
                return complain(context, draft->credential_signing->position,
                        "credential_signing needs signing_service");
        if (rewrites)
                return complain(context, draft->request_body_credential_rewrite->position,
                        "credential_signing and request_body_credential_rewrite are mutually "
                        "exclusive");
        return 0;
}

static int check_operations(const Context *context, const Node *map) {
        int r = read_names(context->build->arena, map, context->build->diagnostics);

        for (const Node *name = map->first; name != NULL; name = name->next->next) {
                DraftOperation draft;

                if (name->next->kind != NODE_MAP)
                        r = complain(context, name->next->position, "a registered query is a map");
                else
                        r |= read_section(
                                name->next, &keys_operation, &draft, context->build->diagnostics);
        }
        return r;
}

/* The maps of settings: their values have no effect here, but they are of the right kind. */
static int check_settings(const Context *context, const DraftEndpoint *draft) {
        DraftJsonRpc json_rpc;
        DraftBinding binding;
        int r = 0;

        if (draft->json_rpc != NULL)
                r |= read_section(
                        draft->json_rpc, &keys_json_rpc, &json_rpc, context->build->diagnostics);
        if (draft->credential_binding != NULL)
                r |= read_section(draft->credential_binding, &keys_binding, &binding,
                        context->build->diagnostics);
        if (draft->graphql_persisted_queries != NULL)
                r |= check_operations(context, draft->graphql_persisted_queries);
        return r;
}

static int check_path(const Context *context, const Node *node) {
        if (node == NULL || node->text[0] == '\0' || node->text[0] == '/' ||
                strcmp(node->text, "**") == 0)
                return 0;
        return complain(context, node->position, "endpoint path must start with '/' or be '**'");
}

static int read_mcp(Context *context, const Node *map) {
        DraftMcp draft;
        int r = read_section(map, &keys_mcp, &draft, context->build->diagnostics);

        context->any_method = draft.allow_all_known_mcp_methods != NULL &&
                              draft.allow_all_known_mcp_methods->value != 0;
        return r;
}

static void report_denied(const Context *context, const PolicyEndpoint *endpoint) {
        build_find(context->build, POLICY_FINDING_DENIED, endpoint->position,
                "network policy '%s': %s:%u is denied: not inspectable (protocol %s): %s",
                context->network, endpoint->host[0] != '\0' ? endpoint->host : "any host",
                endpoint->port_count > 0 ? endpoint->ports[0] : 0U, context->protocol_name,
                policy_uninspectable(endpoint));
}

int build_requests(
        Build *build, const char *network, const DraftEndpoint *draft, PolicyEndpoint *endpoint) {
        Context context = { .build = build, .network = network };
        int r = 0;

        endpoint->protocol = draft->protocol != NULL ? (PolicyProtocol)draft->protocol->value
                                                     : POLICY_PROTOCOL_NONE;
        endpoint->enforcement = draft->enforcement != NULL
                                        ? (PolicyEnforcement)draft->enforcement->value
                                        : POLICY_ENFORCE;
        endpoint->access =
                draft->access != NULL ? (PolicyPreset)draft->access->value : POLICY_PRESET_NONE;
        endpoint->path = build_text(build, draft->path);
        endpoint->settings = "";
        context.protocol = endpoint->protocol;
        context.protocol_name = policy_protocol_name(endpoint->protocol);
        if (endpoint->path == NULL)
                return -1;
        if (draft->mcp != NULL)
                r |= read_mcp(&context, draft->mcp);
        r |= check_settings(&context, draft);
        if (!reads_requests(endpoint->protocol)) {
                if (endpoint->enforcement == POLICY_AUDIT)
                        build_find(build, POLICY_FINDING_WARNING, draft->enforcement->position,
                                "network policy '%s': 'enforcement: audit' lets every program "
                                "through to the endpoint, and records it",
                                network);
                return r | refuse_without_protocol(build, network, draft);
        }
        r |= check_base(&context, draft, endpoint->access, draft->protocol->position);
        r |= check_path(&context, draft->path);
        r |= check_signing(&context, draft);
        r |= build_rules(&context, draft->rules, false, &endpoint->rules, &endpoint->rule_count);
        r |= build_rules(&context, draft->deny_rules, true, &endpoint->deny_rules,
                &endpoint->deny_rule_count);
        endpoint->settings = build_settings(build, draft, endpoint);
        if (endpoint->settings == NULL)
                return -1;
        if (r == 0 && policy_uninspectable(endpoint) != NULL)
                report_denied(&context, endpoint);
        return r;
}
