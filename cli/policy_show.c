/* SPDX-License-Identifier: Apache-2.0 */

/* The effective policy as YAML: what it prints loads again, and the remarks say where each line
 * comes from. */
#include "cli/policy.h"
#include "cli/policy_file.h"

#include "base/sha256.h"
#include "policy/effective.h"
#include "policy/flat.h"
#include "policy/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value that no reader takes for anything but text; else in double quotes, whose escapes are
 * JSON's. */
static void print_value(const char *value) {
        static const char plain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
        bool starts_well = (value[0] >= 'a' && value[0] <= 'z') || value[0] == '/';

        if (starts_well && value[strspn(value, plain)] == '\0' && strcmp(value, "true") != 0 &&
                strcmp(value, "false") != 0 && strcmp(value, "null") != 0) {
                fputs(value, stdout);
                return;
        }
        putchar('"');
        for (; *value != '\0'; value++) {
                if (*value == '"' || *value == '\\')
                        putchar('\\');
                putchar(*value);
        }
        putchar('"');
}

static void print_line(PolicyPosition position) {
        if (position.line != 0)
                printf("  # line %u", position.line);
        putchar('\n');
}

static void print_paths(
        const char *key, PolicyAccess access, const PolicyPath *paths, uint32_t count) {
        bool any = false;

        for (uint32_t i = 0; i < count; i++)
                any = any || paths[i].access == access;
        printf("  %s:%s\n", key, any ? "" : " []");
        for (uint32_t i = 0; i < count; i++) {
                if (paths[i].access != access)
                        continue;
                fputs("    - ", stdout);
                print_value(paths[i].path);
                if (paths[i].origin == POLICY_ORIGIN_AUTHOR)
                        print_line(paths[i].position);
                else
                        printf("  # %s\n", policy_origin_name(paths[i].origin));
        }
}

static void print_query(const PolicyRule *rule, const char *indent) {
        if (rule->query_count == 0)
                return;
        printf("%squery:\n", indent);
        for (uint32_t i = 0; i < rule->query_count; i++) {
                printf("%s  ", indent);
                print_value(rule->query[i].name);
                fputs(": { any: [", stdout);
                for (uint32_t j = 0; j < rule->query[i].value_count; j++) {
                        fputs(j > 0 ? ", " : "", stdout);
                        print_value(rule->query[i].values[j]);
                }
                puts("] }");
        }
}

static void print_rules(const char *key, const PolicyRule *rules, uint32_t count, bool allow) {
        const char *indent = allow ? "              " : "            ";

        if (count == 0)
                return;
        printf("        %s:\n", key);
        for (uint32_t i = 0; i < count; i++) {
                printf("          - %s", allow ? "allow:\n              " : "");
                fputs("method: ", stdout);
                print_value(rules[i].method);
                printf("\n%spath: ", indent);
                print_value(rules[i].path);
                putchar('\n');
                print_query(&rules[i], indent);
        }
}

/* A line a key, as the model keeps them. */
static void print_settings(const char *settings) {
        while (*settings != '\0') {
                size_t size = strcspn(settings, "\n");

                printf("        %.*s\n", (int)size, settings);
                settings += size + (settings[size] != '\0');
        }
}

static void print_requests(const PolicyEndpoint *endpoint) {
        if (endpoint->protocol < POLICY_PROTOCOL_REST)
                return;
        printf("        protocol: %s  # denied: not inspectable\n",
                policy_protocol_name(endpoint->protocol));
        if (endpoint->access != POLICY_PRESET_NONE)
                printf("        access: %s\n", policy_preset_name(endpoint->access));
        if (endpoint->path[0] != '\0') {
                fputs("        path: ", stdout);
                print_value(endpoint->path);
                putchar('\n');
        }
        print_settings(endpoint->settings);
        if (endpoint->protocol != POLICY_PROTOCOL_REST)
                return; /* the rules are among the settings */
        print_rules("rules", endpoint->rules, endpoint->rule_count, true);
        print_rules("deny_rules", endpoint->deny_rules, endpoint->deny_rule_count, false);
}

static void print_endpoint(const PolicyEndpoint *endpoint) {
        char range[ADDRESS_TEXT_SIZE + 4];

        fputs("      - host: ", stdout);
        print_value(endpoint->host);
        print_line(endpoint->position);
        fputs("        ports: [", stdout);
        for (uint32_t i = 0; i < endpoint->port_count; i++)
                printf("%s%u", i > 0 ? ", " : "", endpoint->ports[i]);
        puts("]");
        if (endpoint->allowed_ip_count > 0) {
                fputs("        allowed_ips: [", stdout);
                for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++) {
                        address_range_format(&endpoint->allowed_ips[i], range, sizeof(range));
                        fputs(i > 0 ? ", " : "", stdout);
                        print_value(range);
                }
                puts("]");
        }
        if (endpoint->tls == POLICY_TLS_SKIP)
                puts("        tls: skip");
        if (endpoint->enforcement == POLICY_AUDIT)
                puts("        enforcement: audit");
        print_requests(endpoint);
}

static void print_network(const PolicyNetwork *network) {
        fputs("  ", stdout);
        print_value(network->key);
        putchar(':');
        print_line(network->position);
        fputs("    name: ", stdout);
        print_value(network->name);
        printf("\n    endpoints:%s\n", network->endpoint_count == 0 ? " []" : "");
        for (uint32_t i = 0; i < network->endpoint_count; i++)
                print_endpoint(&network->endpoints[i]);
        printf("    binaries:%s\n", network->binary_count == 0 ? " []  # nobody" : "");
        for (uint32_t i = 0; i < network->binary_count; i++) {
                fputs("      - path: ", stdout);
                print_value(network->binaries[i].path);
                print_line(network->binaries[i].position);
        }
}

static void print_hash(const Policy *policy) {
        uint8_t digest[SHA256_SIZE];
        char text[SHA256_TEXT_SIZE];

        if (policy_hash(policy, digest) < 0)
                return;
        sha256_text(digest, text);
        printf("# sha256 %s\n", text);
}

static void print_findings(const Policy *policy) {
        for (uint32_t i = 0; i < policy->finding_count; i++) {
                const PolicyFinding *finding = &policy->findings[i];

                printf("# %s: ", policy_finding_name(finding->kind));
                if (finding->position.line != 0)
                        printf("line %u: ", finding->position.line);
                puts(finding->text);
        }
}

static void show_text(const PolicyFile *file, const PolicyPath *paths, uint32_t count) {
        const Policy *policy = file->policy;

        printf("# The effective policy of %s", file->name);
        puts(policy->ceiling != NULL ? ", within the node's ceiling." : ".");
        print_hash(policy);
        print_findings(policy);
        puts("version: 1\nfilesystem_policy:\n  include_workdir: false  # the lists below are "
             "complete");
        print_paths("read_only", POLICY_READ_ONLY, paths, count);
        print_paths("read_write", POLICY_READ_WRITE, paths, count);
        printf("landlock:\n  compatibility: %s\n", policy_landlock_name(policy->landlock));
        fputs("process:\n  run_as_user: ", stdout);
        print_value(policy->user);
        fputs("\n  run_as_group: ", stdout);
        print_value(policy->group);
        printf("\nnetwork_policies:%s\n", policy->network_count == 0 ? " {}  # no network" : "");
        if (policy->ceiling != NULL && policy->network_count > 0)
                puts("  # a connection has to be allowed here and by the ceiling");
        for (uint32_t i = 0; i < policy->network_count; i++)
                print_network(&policy->networks[i]);
}

int policy_show(const Invocation *invocation) {
        cleanup(policy_file_donep) PolicyFile file = { 0 };
        cleanup_free PolicyPath *paths = NULL;
        Error error = { 0 };
        uint32_t count = 0;
        int code = policy_file_load(
                invocation->arguments[0], verb_value(invocation, "ceiling"), &file);

        if (code != VERB_YES)
                return code;
        if (policy_effective_paths(
                    file.policy, verb_value(invocation, "workdir"), &paths, &count, &error) < 0) {
                fprintf(stderr, "%s: %s\n", file.name, error.text);
                return VERB_NO;
        }
        if (!verb_wants_json(invocation)) {
                show_text(&file, paths, count);
                return VERB_YES;
        }
        return json_show(stdout, file.name, file.policy, paths, count) < 0 ? VERB_ERROR : VERB_YES;
}
