/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The sections about the own machine: filesystem_policy, landlock, process. And the top level.
 *
 * Paths are judged as text. Whether one exists, is a link, or is a file at all is seen by the
 * launcher, inside the container, when the session starts.
 */
#include "policy/build.h"

#include "base/number.h"
#include "base/path.h"
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

/* ---- filesystem_policy ---- */

static int check_path(Build *build, const Node *node, PolicyAccess access,
        char ret_path[static POLICY_PATH_SIZE_MAX + 1]) {
        char value[DIAGNOSTIC_VALUE_MAX];
        size_t size = strlen(node->text);

        (void)diagnostic_value(node->text, value);
        if (size > POLICY_PATH_SIZE_MAX)
                return build_error(build, node->position,
                        "path exceeds maximum length (%zu > %u): '%s'", size, POLICY_PATH_SIZE_MAX,
                        value);
        switch (path_normalise(node->text, ret_path, POLICY_PATH_SIZE_MAX + 1)) {
        case PATH_NORMAL:
                break;
        case PATH_TRAVERSAL:
                return build_error(build, node->position,
                        "path contains '..' traversal component: '%s'", value);
        case PATH_RELATIVE:
        case PATH_LONG:
        default:
                return build_error(build, node->position,
                        "path must be absolute (start with '/'): '%s'", value);
        }
        if (strpbrk(ret_path, "*?") != NULL)
                return build_error(build, node->position,
                        "path has a wildcard: '%s'; name the directory, which means all below it",
                        value);
        if (access == POLICY_READ_WRITE && strcmp(ret_path, "/") == 0)
                return build_error(
                        build, node->position, "read-write path is overly broad: '%s'", value);
        return 0;
}

/* "[/usr /lib]" is one path in YAML, and not what its author means. */
static void warn_blank(Build *build, PolicyPosition position, const char *path) {
        if (strstr(path, " /") != NULL)
                build_find(build, POLICY_FINDING_WARNING, position,
                        "'%s' is one path; is a comma or a line missing?", path);
}

/* A link to it on every node and in every container: the rule has to be about the device. */
static const char *resolve_known_link(const char *path) {
        return strcmp(path, "/dev/ptmx") == 0 ? "/dev/pts/ptmx" : path;
}

static int add_paths(
        Build *build, const Node *list, PolicyAccess access, PolicyPath *paths, uint32_t *count) {
        char normal[POLICY_PATH_SIZE_MAX + 1];
        int r = 0;

        for (const Node *item = list != NULL ? list->first : NULL; item != NULL;
                item = item->next) {
                const char *path;

                if (check_path(build, item, access, normal) < 0) {
                        r = -1;
                        continue;
                }
                warn_blank(build, item->position, normal);
                path = resolve_known_link(normal);
                path = arena_text(build->arena, path, strlen(path));
                if (path == NULL)
                        return build_no_memory(build);
                paths[(*count)++] = (PolicyPath){ .path = path,
                        .access = access,
                        .origin = POLICY_ORIGIN_AUTHOR,
                        .must_exist = true,
                        .position = item->position };
        }
        return r;
}

static int compare_paths(const void *a, const void *b) {
        const PolicyPath *left = a, *right = b;
        int order = strcmp(left->path, right->path);

        return order != 0 ? order : position_compare(left->position, right->position);
}

/* Sorted, so that what is named twice is neighbours. */
static int drop_repeated(Build *build, PolicyPath *paths, uint32_t *count) {
        uint32_t kept = 0;
        int r = 0;

        for (uint32_t i = 0; i < *count; i++) {
                const PolicyPath *last = kept > 0 ? &paths[kept - 1] : NULL;

                if (last == NULL || strcmp(last->path, paths[i].path) != 0)
                        paths[kept++] = paths[i];
                else if (last->access != paths[i].access)
                        r = build_error(build, paths[i].position,
                                "path is both read_only and read_write (line %u): '%s'",
                                last->position.line, paths[i].path);
                else
                        build_find(build, POLICY_FINDING_WARNING, paths[i].position,
                                "path is listed twice (line %u): '%s'", last->position.line,
                                paths[i].path);
        }
        *count = kept;
        return r;
}

static int refuse_below(Build *build, const PolicyPath *path, const char *writable) {
        return build_error(build, path->position,
                "read_only path '%s' lies below the writable '%s', and this build cannot keep it "
                "read-only there; list what may "
                "be written instead",
                path->path, writable);
}

static bool names_path(const PolicyPath *paths, uint32_t count, const char *path) {
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(paths[i].path, path) == 0)
                        return true;
        return false;
}

static int refuse_narrower(Build *build, const PolicyPath *paths, uint32_t count, bool workdir) {
        int r = 0;

        workdir = workdir && !names_path(paths, count, POLICY_WORKDIR);
        for (uint32_t i = 0; i < count; i++) {
                const char *writable = workdir && path_covers(POLICY_WORKDIR, paths[i].path)
                                               ? POLICY_WORKDIR
                                               : NULL;

                if (paths[i].access != POLICY_READ_ONLY)
                        continue;
                for (uint32_t j = 0; j < count && writable == NULL; j++)
                        if (paths[j].access == POLICY_READ_WRITE &&
                                path_covers(paths[j].path, paths[i].path))
                                writable = paths[j].path;
                if (writable != NULL)
                        r = refuse_below(build, &paths[i], writable);
        }
        return r;
}

/* The place of the path that is one too many, over both lists in the order of the file's keys. */
static const Node *nth_path(const DraftFilesystem *draft, uint32_t n) {
        const Node *lists[] = { draft->read_only, draft->read_write };

        for (size_t i = 0; i < 2; i++)
                for (const Node *item = lists[i] != NULL ? lists[i]->first : NULL; item != NULL;
                        item = item->next)
                        if (n-- == 0)
                                return item;
        return NULL;
}

/* Hard requirements about nothing would be met by a session without any rule. */
static int require_paths(Build *build, const Node *map) {
        if (build->policy->landlock != POLICY_LANDLOCK_HARD || build->policy->path_count > 0)
                return 0;
        return build_error(build, map->position,
                "hard_requirement needs at least one path in read_only or read_write");
}

/* Knows the landlock mode already. */
static int build_filesystem(Build *build, const Node *map) {
        DraftFilesystem draft;
        PolicyPath *paths;
        uint32_t total, count = 0;
        int r = read_section(map, &keys_filesystem, &draft, build->diagnostics);

        total = (draft.read_only != NULL ? draft.read_only->count : 0) +
                (draft.read_write != NULL ? draft.read_write->count : 0);
        if (total > POLICY_PATHS_MAX)
                return build_error(build, nth_path(&draft, POLICY_PATHS_MAX)->position,
                        "too many filesystem paths (%u > %u)", total, POLICY_PATHS_MAX);
        paths = arena_array(build->arena, total, sizeof(*paths));
        if (paths == NULL)
                return build_no_memory(build);
        if (draft.include_workdir != NULL)
                build->policy->include_workdir = draft.include_workdir->value != 0;
        r |= add_paths(build, draft.read_only, POLICY_READ_ONLY, paths, &count);
        r |= add_paths(build, draft.read_write, POLICY_READ_WRITE, paths, &count);
        if (count > 0)
                qsort(paths, count, sizeof(*paths), compare_paths);
        r |= drop_repeated(build, paths, &count);
        r |= refuse_narrower(build, paths, count, build->policy->include_workdir);
        build->policy->paths = paths;
        build->policy->path_count = count;
        return r < 0 ? r : require_paths(build, map);
}

/* ---- landlock, process ---- */

static int build_landlock(Build *build, const Node *map) {
        DraftLandlock draft;
        int r = read_section(map, &keys_landlock, &draft, build->diagnostics);

        if (draft.compatibility != NULL)
                build->policy->landlock = (PolicyLandlock)draft.compatibility->value;
        return r;
}

static bool is_account_name(const char *name) {
        size_t size = strlen(name);

        if (size == 0 || size > 32 || strcmp(name, "root") == 0)
                return false;
        if ((name[0] >= '0' && name[0] <= '9') || name[0] == '-' || name[0] == '.')
                return false;
        return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
               size;
}

static int build_account(Build *build, const Node *node, const char *key, const char *id,
        const char **ret_name, PolicyPosition *ret_position) {
        char value[DIAGNOSTIC_VALUE_MAX];
        uint64_t number = 0;

        if (node == NULL)
                return 0;
        if (node->text[0] == '\0') { /* what the original writes for "not set" */
                build_find(build, POLICY_FINDING_WARNING, node->position,
                        "'%s' is empty, which means '" POLICY_USER "'", key);
                return 0;
        }
        if (!is_account_name(node->text) &&
                (!number_parse(node->text, strlen(node->text), UINT32_MAX - 1, &number) ||
                        number == 0))
                return build_error(build, node->position,
                        "%s must be 'sandbox' or a numeric %s in range [1, 4294967294], got '%s'",
                        key, id, diagnostic_value(node->text, value));
        *ret_position = node->position;
        *ret_name = build_text(build, node);
        return *ret_name != NULL ? 0 : -1;
}

static int build_process(Build *build, const Node *map) {
        Policy *policy = build->policy;
        DraftProcess draft;
        int r = read_section(map, &keys_process, &draft, build->diagnostics);

        r |= build_account(build, draft.run_as_user, "run_as_user", "UID", &policy->user,
                &policy->user_position);
        r |= build_account(build, draft.run_as_group, "run_as_group", "GID", &policy->group,
                &policy->group_position);
        return r;
}

/* ---- the whole ---- */

static int build_inference(Build *build, const Node *map) {
        DraftInference draft;
        int r = read_section(map, &keys_inference, &draft, build->diagnostics);

        return r | build_texts(build, draft.allowed_routes, &build->policy->inference_routes,
                           &build->policy->inference_route_count);
}

static int refuse_middlewares(Build *build, const Node *node) {
        const Key *key = keys_find(&keys_policy, "network_middlewares");

        if (node->kind != NODE_MAP)
                return build_error(build, node->position, "'%s' must be a map", key->name);
        if (node->count == 0)
                return 0;
        return build_error(
                build, node->position, "'%s' is not supported: %s", key->name, key->reason);
}

int build_policy(Build *build, const Node *root) {
        DraftPolicy draft;
        int r;

        if (root->kind != NODE_MAP)
                return build_error(
                        build, root->position, "a policy is a map; it starts with 'version: 1'");
        r = read_section(root, &keys_policy, &draft, build->diagnostics);
        if (draft.landlock != NULL)
                r |= build_landlock(build, draft.landlock);
        if (draft.filesystem != NULL)
                r |= build_filesystem(build, draft.filesystem);
        if (draft.process != NULL)
                r |= build_process(build, draft.process);
        if (draft.network_policies != NULL)
                r |= build_networks(build, draft.network_policies);
        if (draft.network_middlewares != NULL)
                r |= refuse_middlewares(build, draft.network_middlewares);
        if (draft.inference != NULL)
                r |= build_inference(build, draft.inference);
        build_report_accepted(build, &keys_policy, &draft);
        return r;
}
