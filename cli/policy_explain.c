/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two questions with one verb, told apart by the first character: a path begins with '/'. The
 * answer is the decision that the running sandbox would make, by the same function.
 */
#include "cli/policy.h"
#include "cli/policy_file.h"

#include "base/number.h"
#include "base/path.h"
#include "policy/cover.h"
#include "policy/decide.h"
#include "policy/effective.h"
#include "policy/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANCESTORS_MAX 16U

/* ---- a path ---- */

static void print_grant(const PolicyFile *file, const PolicyPath *by) {
        if (by->position.line != 0)
                printf("  %s:%u:%u: %s '%s'\n", file->name, by->position.line, by->position.column,
                        policy_access_name(by->access), by->path);
        else
                printf("  %s: %s '%s'\n", policy_origin_name(by->origin),
                        policy_access_name(by->access), by->path);
}

static void print_path(
        const PolicyFile *file, const char *path, const PolicyPath *paths, uint32_t count) {
        PolicyAccess access = cover_access(paths, count, path);

        if (access == 0)
                printf("%s: denied: the policy names neither it nor a directory above it\n", path);
        else
                printf("%s: %s\n", path, policy_access_name(access));
        for (uint32_t i = 0; i < count; i++)
                if (path_covers(paths[i].path, path))
                        print_grant(file, &paths[i]);
}

static int explain_path(const Invocation *invocation, const PolicyFile *file, const char *path) {
        cleanup_free PolicyPath *paths = NULL;
        cleanup_free char *json = NULL;
        uint32_t count = 0;
        Error error = { 0 };

        if (policy_effective_paths(
                    file->policy, verb_value(invocation, "workdir"), &paths, &count, &error) < 0) {
                fprintf(stderr, "%s: %s\n", file->name, error.text);
                return VERB_NO;
        }
        if (!verb_wants_json(invocation)) {
                print_path(file, path, paths, count);
        } else {
                json = json_path(path, paths, count);
                if (json == NULL)
                        return VERB_ERROR;
                puts(json);
        }
        return cover_access(paths, count, path) != 0 ? VERB_YES : VERB_NO;
}

/* ---- a connection ---- */

/* "host:port" or "[v6]:port"; host is cut out of `target`. */
static int split_target(const Invocation *invocation, char *target, PolicyRequest *request) {
        char *colon = strrchr(target, ':');
        uint64_t port;

        if (colon == NULL)
                return verb_misused(invocation,
                        "'%s' is neither a path that starts with '/' nor HOST:PORT", target);
        if (!number_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &port) || port == 0)
                return verb_misused(invocation, "'%s' is not a port from 1 to 65535", colon + 1);
        *colon = '\0';
        request->host = target;
        request->port = (uint16_t)port;
        return VERB_YES;
}

/* The executable, then those that started it; `ancestors` is cut into its paths. */
static int add_programs(const Invocation *invocation, const char *binary, char *ancestors,
        PolicyProgram programs[static ANCESTORS_MAX], size_t *ret_count) {
        size_t count = 0;
        char *rest = ancestors;

        if (binary != NULL)
                programs[count++].path = binary;
        for (char *one = strsep(&rest, ","); one != NULL && count < ANCESTORS_MAX;
                one = strsep(&rest, ","))
                programs[count++].path = one;
        for (size_t i = 0; i < count; i++)
                if (programs[i].path[0] != '/')
                        return verb_misused(invocation,
                                "'%s' is not the absolute path of a program", programs[i].path);
        *ret_count = count;
        return VERB_YES;
}

/* The line that decides; under the ceiling's reason its nearest rule, which does not allow it. */
static void print_rule(const PolicyFile *file, const PolicyDecision *decision) {
        const char *name = decision->reason == POLICY_REASON_CEILING && !decision->allowed
                                   ? file->ceiling
                                   : file->name;

        if (decision->network != NULL)
                printf("  %s:%u:%u: endpoint %s of network policy '%s'\n", name,
                        decision->endpoint->position.line, decision->endpoint->position.column,
                        decision->endpoint->host[0] != '\0' ? decision->endpoint->host
                                                            : "without host",
                        decision->network->key);
        if (decision->binary != NULL)
                printf("  %s:%u:%u: binary '%s'\n", name, decision->binary->position.line,
                        decision->binary->position.column, decision->binary->path);
}

static int print_decision(const Invocation *invocation, const PolicyFile *file,
        const PolicyRequest *request, const PolicyDecision *decision) {
        cleanup_free char *json = NULL;
        char text[512];

        if (verb_wants_json(invocation)) {
                json = json_decision(request, decision);
                if (json == NULL)
                        return VERB_ERROR;
                puts(json);
                return decision->allowed ? VERB_YES : VERB_NO;
        }
        policy_decision_text(decision, request, text, sizeof(text));
        printf("%s: %s\n",
                decision->recorded  ? "recorded"
                : decision->allowed ? "allowed"
                                    : "denied",
                text);
        print_rule(file, decision);
        return decision->allowed ? VERB_YES : VERB_NO;
}

static int explain_connection(
        const Invocation *invocation, const PolicyFile *file, const char *argument) {
        const char *ancestors = verb_value(invocation, "ancestors"),
                   *given = verb_value(invocation, "address");
        cleanup_free char *target = strdup(argument);
        cleanup_free char *chain = ancestors != NULL ? strdup(ancestors) : NULL;
        PolicyProgram programs[ANCESTORS_MAX] = { 0 };
        PolicyRequest request = { .programs = programs };
        PolicyDecision decision;
        Address address;

        if (target == NULL || (ancestors != NULL && chain == NULL))
                return VERB_ERROR;
        if (split_target(invocation, target, &request) != VERB_YES)
                return VERB_ERROR;
        if (add_programs(invocation, verb_value(invocation, "binary"), chain, programs,
                    &request.program_count) != VERB_YES)
                return VERB_ERROR;
        decision = policy_decide(file->policy, &request);
        if (decision.allowed && given != NULL) {
                if (!address_parse(given, &address))
                        return verb_misused(invocation, "'%s' is not an IP address", given);
                request.address = &address;
                decision = policy_decide(file->policy, &request);
        }
        return print_decision(invocation, file, &request, &decision);
}

int policy_explain(const Invocation *invocation) {
        const char *argument = invocation->arguments[1];
        char path[POLICY_PATH_SIZE_MAX + 1];
        cleanup(policy_file_donep) PolicyFile file = { 0 };
        int code = policy_file_load(
                invocation->arguments[0], verb_value(invocation, "ceiling"), &file);

        if (code != VERB_YES)
                return code;
        if (argument[0] != '/')
                return explain_connection(invocation, &file, argument);
        if (path_normalise(argument, path, sizeof(path)) != PATH_NORMAL)
                return verb_misused(invocation,
                        "'%s' has a '..' or is too long; links and '..' are for the kernel to "
                        "follow",
                        argument);
        return explain_path(invocation, &file, path);
}
