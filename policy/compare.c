/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What each section of one policy allows and the other does not. Paths and single values here,
 * network_policies in compare_network.c.
 */
#include "policy/compare.h"

#include "base/arena.h"
#include "policy/comparison.h"
#include "policy/cover.h"
#include "policy/effective.h"
#include "policy/flat.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMPARISON_SIZE_MAX ((size_t)4 * 1024 * 1024) /* enough for all that is listed */

void comparison_donep(Comparison *comparison) {
        comparison->arena = arena_free(comparison->arena);
}

static uint32_t *counter(Comparison *comparison, ChangeKind kind) {
        if (kind == CHANGE_WIDER)
                return &comparison->wider;
        return kind == CHANGE_NARROWER ? &comparison->narrower : &comparison->other;
}

void comparison_count(Comparison *comparison, ChangeKind kind, uint32_t changes) {
        uint32_t *count = counter(comparison, kind);

        *count = changes < UINT32_MAX - *count ? *count + changes : UINT32_MAX;
}

bool comparison_lists(const Comparison *comparison, ChangeKind kind) {
        return comparison->listed[kind] < CHANGES_LISTED_MAX;
}

void comparison_add(
        Comparison *comparison, ChangeKind kind, PolicyPosition position, const char *format, ...) {
        char text[512];
        Change *change;
        va_list args;

        comparison_count(comparison, kind, 1);
        if (!comparison_lists(comparison, kind))
                return;
        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        change = arena_alloc(comparison->arena, sizeof(*change));
        if (change == NULL)
                return; /* counted, not listed */
        *change = (Change){ .kind = kind,
                .position = position,
                .text = arena_text(comparison->arena, text, strlen(text)) };
        if (change->text == NULL)
                change->text = "one more";
        comparison->listed[kind]++;
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
                        comparison_add(comparison, kind, item->position, "%s %s '%s'",
                                kind == CHANGE_WIDER ? "opens" : "closes",
                                policy_access_name(item->access), item->path);
                else
                        comparison_add(comparison, kind, item->position, "%s '%s' for writing",
                                kind == CHANGE_WIDER ? "opens" : "closes", item->path);
        }
}

static bool lists(const PathList *list, const char *path) {
        for (uint32_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i].path, path) == 0)
                        return true;
        return false;
}

/* A path that an author lists grants what it links to; below a directory that was listed before,
 * a link granted nothing but itself. Which paths are links only the image knows. */
static void compare_links(Comparison *comparison, const PathList *before, const PathList *after) {
        for (uint32_t i = 0; i < after->count; i++) {
                const PolicyPath *item = &after->items[i];

                if (item->origin == POLICY_ORIGIN_AUTHOR && item->access == POLICY_READ_ONLY &&
                        !lists(before, item->path) &&
                        cover_access(before->items, before->count, item->path) >= item->access)
                        comparison_add(comparison, CHANGE_OTHER, item->position,
                                "lists '%s' itself: where it is a symlink, opens what it points to",
                                item->path);
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
        compare_links(comparison, &before, &after);
        compare_path_lists(comparison, CHANGE_NARROWER, &after, &before);
        return 0;
}

/* ---- single values ---- */

static void compare_landlock(Comparison *comparison, const Policy *old, const Policy *new) {
        if (old->landlock != new->landlock)
                comparison_add(comparison,
                        new->landlock == POLICY_LANDLOCK_HARD ? CHANGE_NARROWER : CHANGE_WIDER,
                        (PolicyPosition){ 0 }, "landlock: %s becomes %s",
                        policy_landlock_name(old->landlock), policy_landlock_name(new->landlock));
}

/* Another user may own other files: nobody can tell from the policy, so somebody has to look. */
static void compare_account(Comparison *comparison, const char *key, const char *old,
        const char *new, PolicyPosition position) {
        if (strcmp(old, new) != 0)
                comparison_add(
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
                        comparison_add(comparison, CHANGE_OTHER, network->position,
                                "network policy '%s' is called '%s' instead of '%s'", network->key,
                                network->name, before->name);
        }
}

static bool same_routes(const Policy *old, const Policy *new) {
        if (old->inference_route_count != new->inference_route_count)
                return false;
        for (uint32_t i = 0; i < new->inference_route_count; i++)
                if (strcmp(old->inference_routes[i], new->inference_routes[i]) != 0)
                        return false;
        return true;
}

static void compare_routes(Comparison *comparison, const Policy *old, const Policy *new) {
        if (!same_routes(old, new))
                comparison_add(comparison, CHANGE_OTHER, (PolicyPosition){ 0 },
                        "inference: other routes, which have no effect here");
}

static bool say_the_same(const Policy *old, const Policy *new) {
        uint8_t before[SHA256_SIZE], after[SHA256_SIZE];

        return policy_hash(old, before) == 0 && policy_hash(new, after) == 0 &&
               memcmp(before, after, SHA256_SIZE) == 0;
}

int policy_compare(const Policy *old, const Policy *new, Comparison *ret_comparison, Error *error) {
        Comparison comparison = { .arena = arena_new(COMPARISON_SIZE_MAX) };

        if (comparison.arena == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for a comparison");
        if (say_the_same(old, new)) {
                *ret_comparison = comparison;
                return 0;
        }
        if (compare_paths(&comparison, old, new, error) < 0) {
                comparison_donep(&comparison);
                return -1;
        }
        compare_landlock(&comparison, old, new);
        compare_account(&comparison, "run_as_user", old->user, new->user, new->user_position);
        compare_account(&comparison, "run_as_group", old->group, new->group, new->group_position);
        if (comparison_of_networks(&comparison, old, new, error) < 0) {
                comparison_donep(&comparison);
                return -1;
        }
        compare_names(&comparison, old, new);
        compare_routes(&comparison, old, new);
        *ret_comparison = comparison;
        return 0;
}
