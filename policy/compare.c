/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A grant is one program at one port of one endpoint. The new policy is wider where one of its
 * grants is covered by no single grant of the old one; narrower is the same question the other way
 * round. Which policy of the file a grant stands in does not matter. Costs the product of both
 * numbers of grants, which a person waits for, not a service.
 */
#include "policy/compare.h"

#include "base/arena.h"
#include "policy/cover.h"
#include "policy/effective.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMPARISON_SIZE_MAX ((size_t)64 * 1024 * 1024)

void comparison_donep(Comparison *comparison) {
        comparison->arena = arena_free(comparison->arena);
}

printf_like(4, 5) static void add_change(
        Comparison *comparison, ChangeKind kind, PolicyPosition position, const char *format, ...) {
        Change *change = arena_alloc(comparison->arena, sizeof(*change));
        uint32_t *count = kind == CHANGE_WIDER      ? &comparison->wider
                          : kind == CHANGE_NARROWER ? &comparison->narrower
                                                    : &comparison->other;
        char text[512];
        va_list args;

        (*count)++;
        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        if (change == NULL)
                return; /* counted, not listed */
        *change = (Change){ .kind = kind,
                .position = position,
                .text = arena_text(comparison->arena, text, strlen(text)) };
        if (change->text == NULL)
                change->text = "one more";
        if (comparison->last != NULL)
                ((Change *)(uintptr_t)comparison->last)->next = change;
        else
                comparison->first = change;
        comparison->last = change;
}

/* ---- paths ---- */

typedef struct PathList {
        PolicyPath *items;
        uint32_t count;
} PathList;

static void path_list_donep(PathList *list) {
        free(list->items);
}

static void compare_path_lists(
        Comparison *comparison, ChangeKind kind, const PathList *from, const PathList *to) {
        for (uint32_t i = 0; i < to->count; i++) {
                const PolicyPath *item = &to->items[i];
                PolicyAccess before = cover_access(from->items, from->count, item->path);

                if (before >= item->access)
                        continue;
                if (before == 0)
                        add_change(comparison, kind, item->position, "%s %s '%s'",
                                kind == CHANGE_WIDER ? "opens" : "closes",
                                policy_access_name(item->access), item->path);
                else
                        add_change(comparison, kind, item->position, "%s '%s' for writing",
                                kind == CHANGE_WIDER ? "opens" : "closes", item->path);
        }
}

static int compare_paths(
        Comparison *comparison, const Policy *old, const Policy *new, Error *error) {
        cleanup(path_list_donep) PathList before = { 0 };
        cleanup(path_list_donep) PathList after = { 0 };

        if (policy_effective_paths(old, NULL, &before.items, &before.count, error) < 0 ||
                policy_effective_paths(new, NULL, &after.items, &after.count, error) < 0)
                return -1;
        compare_path_lists(comparison, CHANGE_WIDER, &before, &after);
        compare_path_lists(comparison, CHANGE_NARROWER, &after, &before);
        return 0;
}

/* ---- single values ---- */

static void compare_landlock(Comparison *comparison, const Policy *old, const Policy *new) {
        if (old->landlock != new->landlock)
                add_change(comparison,
                        new->landlock == POLICY_LANDLOCK_HARD ? CHANGE_NARROWER : CHANGE_WIDER,
                        (PolicyPosition){ 0 }, "landlock: %s becomes %s",
                        policy_landlock_name(old->landlock), policy_landlock_name(new->landlock));
}

/* Another user may own other files: nobody can tell from the policy, so somebody has to look. */
static void compare_account(Comparison *comparison, const char *key, const char *old,
        const char *new, PolicyPosition position) {
        if (strcmp(old, new) != 0)
                add_change(
                        comparison, CHANGE_WIDER, position, "%s: '%s' becomes '%s'", key, old, new);
}

static const PolicyNetwork *find_network(const Policy *policy, const char *key) {
        for (uint32_t i = 0; i < policy->network_count; i++)
                if (strcmp(policy->networks[i].key, key) == 0)
                        return &policy->networks[i];
        return NULL;
}

static void compare_names(Comparison *comparison, const Policy *old, const Policy *new) {
        for (uint32_t i = 0; i < new->network_count; i++) {
                const PolicyNetwork *network = &new->networks[i],
                                    *before = find_network(old, network->key);

                if (before != NULL && strcmp(before->name, network->name) != 0)
                        add_change(comparison, CHANGE_OTHER, network->position,
                                "network policy '%s' is called '%s' instead of '%s'", network->key,
                                network->name, before->name);
        }
}

/* ---- network ---- */

static bool is_covered(const Policy *policy, const CoverGrant *grant) {
        GrantWalk walk = { .policy = policy };
        CoverGrant wide;

        while (cover_next_grant(&walk, &wide))
                if (cover_grant(&wide, grant))
                        return true;
        return false;
}

static const char *settings_of(const PolicyEndpoint *endpoint, char *buffer, size_t room) {
        (void)snprintf(buffer, room, "%s%s%s%s%s%s",
                endpoint->protocol >= POLICY_PROTOCOL_REST ? ", protocol " : "",
                endpoint->protocol >= POLICY_PROTOCOL_REST
                        ? policy_protocol_name(endpoint->protocol)
                        : "",
                endpoint->access != POLICY_PRESET_NONE ? " " : "",
                policy_preset_name(endpoint->access),
                endpoint->tls == POLICY_TLS_SKIP ? ", tls skip" : "",
                endpoint->allowed_ip_count > 0 ? ", allowed_ips" : "");
        return buffer;
}

static void compare_grants(
        Comparison *comparison, ChangeKind kind, const Policy *from, const Policy *to) {
        GrantWalk walk = { .policy = to };
        CoverGrant grant;

        while (cover_next_grant(&walk, &grant)) {
                const char *host = grant.endpoint->host;
                char settings[96];

                if (is_covered(from, &grant))
                        continue;
                add_change(comparison, kind, grant.endpoint->position,
                        "%s %s:%u for '%s' (policy '%s'%s)",
                        kind == CHANGE_WIDER ? "opens" : "closes",
                        host[0] != '\0' ? host : "allowed_ips", grant.port, grant.binary->path,
                        grant.network->key,
                        settings_of(grant.endpoint, settings, sizeof(settings)));
        }
}

int policy_compare(const Policy *old, const Policy *new, Comparison *ret_comparison, Error *error) {
        Comparison comparison = { .arena = arena_new(COMPARISON_SIZE_MAX) };

        if (comparison.arena == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for a comparison");
        if (compare_paths(&comparison, old, new, error) < 0) {
                comparison_donep(&comparison);
                return -1;
        }
        compare_landlock(&comparison, old, new);
        compare_account(&comparison, "run_as_user", old->user, new->user, new->user_position);
        compare_account(&comparison, "run_as_group", old->group, new->group, new->group_position);
        compare_grants(&comparison, CHANGE_WIDER, old, new);
        compare_grants(&comparison, CHANGE_NARROWER, new, old);
        compare_names(&comparison, old, new);
        *ret_comparison = comparison;
        return 0;
}
