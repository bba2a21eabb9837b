/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Landlock gives a path the union of what the rules on it and above it grant. So a list may be
 * extended by anything that is not covered already, and the intersection of two lists is the deeper
 * path of each covering pair, with the lesser access of the two.
 */
#include "policy/effective.h"

#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What ordinary programs cannot do without. The run-time libraries of Java, Go and Node size
 * themselves by the two of /sys. */
static const PolicyPath baseline[] = {
        { .path = "/bin", .access = POLICY_READ_ONLY },
        { .path = "/sbin", .access = POLICY_READ_ONLY },
        { .path = "/lib", .access = POLICY_READ_ONLY },
        { .path = "/lib64", .access = POLICY_READ_ONLY },
        { .path = "/usr", .access = POLICY_READ_ONLY },
        { .path = "/etc", .access = POLICY_READ_ONLY },
        { .path = "/proc", .access = POLICY_READ_ONLY },
        { .path = "/sys/fs/cgroup", .access = POLICY_READ_ONLY },
        { .path = "/sys/devices/system/cpu", .access = POLICY_READ_ONLY },
        { .path = "/dev/null", .access = POLICY_READ_WRITE },
        { .path = "/dev/zero", .access = POLICY_READ_WRITE },
        { .path = "/dev/full", .access = POLICY_READ_WRITE },
        { .path = "/dev/random", .access = POLICY_READ_WRITE },
        { .path = "/dev/urandom", .access = POLICY_READ_WRITE },
        { .path = "/dev/tty", .access = POLICY_READ_WRITE },
        { .path = "/dev/pts",
                .access = POLICY_READ_WRITE }, /* with ptmx: /dev/ptmx is a link to it */
        { .path = "/dev/shm", .access = POLICY_READ_WRITE },
};

#define BASELINE_COUNT (sizeof(baseline) / sizeof(*baseline))

typedef struct List {
        PolicyPath *items; /* owned */
        uint32_t count;
} List;

static List *list_free(List *list) {
        free(list->items);
        *list = (List){ 0 };
        return list;
}

static void list_freep(List *list) {
        (void)list_free(list);
}

static bool list_names(const List *list, const char *path) {
        for (uint32_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i].path, path) == 0)
                        return true;
        return false;
}

/* Another item than `path` itself already grants that much. */
static bool list_covers(const List *list, const char *path, PolicyAccess access, uint32_t except) {
        for (uint32_t i = 0; i < list->count; i++)
                if (i != except && list->items[i].access >= access &&
                        path_covers(list->items[i].path, path))
                        return true;
        return false;
}

static void add_unnamed(List *list, const PolicyPath *item, PolicyOrigin origin) {
        if (list_names(list, item->path) || list_covers(list, item->path, item->access, UINT32_MAX))
                return;
        list->items[list->count] = *item;
        list->items[list->count].origin = origin;
        list->count++;
}

/* The baseline never widens what an author named: above a path that is to stay read-only it grants
 * nothing to write. */
static bool would_widen(const List *list, const PolicyPath *item) {
        if (item->access != POLICY_READ_WRITE)
                return false;
        for (uint32_t i = 0; i < list->count; i++)
                if (list->items[i].access == POLICY_READ_ONLY &&
                        list->items[i].origin == POLICY_ORIGIN_AUTHOR &&
                        path_covers(item->path, list->items[i].path))
                        return true;
        return false;
}

/* The list of one policy, without its ceiling. */
static int list_of(const Policy *policy, const char *workdir, List *ret_list, Error *error) {
        const PolicyPath directory = { .path = workdir, .access = POLICY_READ_WRITE };
        List list = { .items =
                              calloc(policy->path_count + 1 + BASELINE_COUNT, sizeof(PolicyPath)) };

        if (list.items == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for the list of paths");
        if (policy->path_count > 0)
                memcpy(list.items, policy->paths, policy->path_count * sizeof(*policy->paths));
        list.count = policy->path_count;

        /* an image without a working directory has "/": that would be everything */
        if (policy->include_workdir && strcmp(workdir, "/") != 0)
                add_unnamed(&list, &directory, POLICY_ORIGIN_WORKDIR);
        for (size_t i = 0; i < BASELINE_COUNT; i++)
                if (!would_widen(&list, &baseline[i]))
                        add_unnamed(&list, &baseline[i], POLICY_ORIGIN_BASELINE);
        *ret_list = list;
        return 0;
}

static PolicyAccess lesser(PolicyAccess a, PolicyAccess b) {
        return a < b ? a : b;
}

/* The deeper of two paths of which one covers the other, with the access that both grant. */
static bool meet(const PolicyPath *item, const PolicyPath *bound, PolicyPath *ret_item) {
        PolicyPath met = *item;

        met.access = lesser(item->access, bound->access);
        if (path_covers(item->path, bound->path) && strcmp(item->path, bound->path) != 0) {
                met.path = bound->path;
                met.must_exist = false; /* the author named the wider one */
        } else if (!path_covers(bound->path, item->path)) {
                return false;
        }
        *ret_item = met;
        return true;
}

static void put_widest(List *list, const PolicyPath *item) {
        for (uint32_t i = 0; i < list->count; i++) {
                if (strcmp(list->items[i].path, item->path) != 0)
                        continue;
                if (item->access > list->items[i].access)
                        list->items[i].access = item->access;
                list->items[i].must_exist = list->items[i].must_exist || item->must_exist;
                return;
        }
        list->items[list->count++] = *item;
}

static void drop_covered(List *list) {
        for (uint32_t i = list->count; i-- > 0;) {
                const PolicyPath *item = &list->items[i];

                if (!item->must_exist && list_covers(list, item->path, item->access, i))
                        list->items[i] = list->items[--list->count];
        }
}

static int bound_list(List *list, const List *bounds, Error *error) {
        cleanup(list_freep) List met = { 0 };
        PolicyPath *items;

        /* whatever meets, its path is one of either list's */
        met.items = calloc(list->count + bounds->count + 1, sizeof(PolicyPath));
        if (met.items == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for the list of paths");
        for (uint32_t i = 0; i < list->count; i++)
                for (uint32_t j = 0; j < bounds->count; j++) {
                        PolicyPath item;

                        if (meet(&list->items[i], &bounds->items[j], &item))
                                put_widest(&met, &item);
                }
        drop_covered(&met);
        items = list->items;
        list->items = met.items;
        list->count = met.count;
        met.items = items;
        return 0;
}

static int refuse_narrower(const List *list, Error *error) {
        for (uint32_t i = 0; i < list->count; i++) {
                const PolicyPath *item = &list->items[i];

                if (item->access != POLICY_READ_ONLY || item->origin != POLICY_ORIGIN_AUTHOR)
                        continue;
                for (uint32_t j = 0; j < list->count; j++)
                        if (list->items[j].access == POLICY_READ_WRITE &&
                                path_covers(list->items[j].path, item->path))
                                return error_set(error, ERROR_INPUT, 0,
                                        "read_only path '%s' lies below the writable '%s', and "
                                        "this build cannot keep it read-only there; "
                                        "list what may be written instead",
                                        item->path, list->items[j].path);
        }
        return 0;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(((const PolicyPath *)a)->path, ((const PolicyPath *)b)->path);
}

int policy_effective_paths(const Policy *policy, const char *workdir, PolicyPath **ret_paths,
        uint32_t *ret_count, Error *error) {
        cleanup(list_freep) List list = { 0 };
        cleanup(list_freep) List bounds = { 0 };

        if (workdir == NULL)
                workdir = POLICY_WORKDIR;
        if (list_of(policy, workdir, &list, error) < 0 || refuse_narrower(&list, error) < 0)
                return -1;
        if (policy->ceiling != NULL && (list_of(policy->ceiling, workdir, &bounds, error) < 0 ||
                                               bound_list(&list, &bounds, error) < 0))
                return -1;
        if (list.count > 0)
                qsort(list.items, list.count, sizeof(*list.items), compare_paths);
        *ret_paths = take_ptr(list.items);
        *ret_count = list.count;
        return 0;
}
