/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/policy.h"

#include "base/arena.h"
#include "policy/index.h"

#include <assert.h>

/* The fixed part of the default is small; its index is a few hundred bytes. */
#define DEFAULT_SIZE_MAX (64U * 1024U)

struct PolicyStore {
        Arena *arena; /* holds the policy and this */
        unsigned references;
};

static bool index_ceiling(Arena *arena, Policy *policy) {
        Policy *ceiling;

        if (policy->ceiling == NULL)
                return true;
        ceiling = arena_alloc(arena, sizeof(*ceiling));
        if (ceiling == NULL)
                return false;
        *ceiling = *policy->ceiling;
        ceiling->index = policy_index_new(arena, ceiling);
        policy->ceiling = ceiling;
        return ceiling->index != NULL;
}

Policy *policy_seal(Arena *arena, const Policy *fields) {
        cleanup(arena_freep) Arena *owned = arena;
        struct PolicyStore *store = arena_alloc(arena, sizeof(*store));
        Policy *policy = arena_alloc(arena, sizeof(*policy));

        if (store == NULL || policy == NULL)
                return NULL;
        *policy = *fields;
        policy->index = policy_index_new(arena, policy);
        if (policy->index == NULL || !index_ceiling(arena, policy))
                return NULL;
        *store = (struct PolicyStore){ .arena = take_ptr(owned), .references = 1 };
        policy->store = store;
        return policy;
}

Policy *policy_ref(const Policy *policy) {
        Policy *counted = (Policy *)(uintptr_t)policy;

        counted->store->references++;
        return counted;
}

Policy *policy_unref(const Policy *policy) {
        if (policy == NULL)
                return NULL;
        assert(policy->store->references > 0);
        if (--policy->store->references == 0)
                (void)arena_free(policy->store->arena);
        return NULL;
}

static const PolicyPath default_paths[] = {
        { .path = "/app", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/dev/null", .access = POLICY_READ_WRITE, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/dev/urandom", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/etc", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/lib", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/proc", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/tmp", .access = POLICY_READ_WRITE, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/usr", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
        { .path = "/var/log", .access = POLICY_READ_ONLY, .origin = POLICY_ORIGIN_DEFAULT },
};

const Policy policy_restrictive = {
        .paths = default_paths,
        .path_count = sizeof(default_paths) / sizeof(*default_paths),
        .include_workdir = true,
        .landlock = POLICY_LANDLOCK_HARD,
        .user = POLICY_USER,
        .group = POLICY_USER,
};

Policy *policy_default(void) {
        Arena *arena = arena_new(DEFAULT_SIZE_MAX);

        return arena != NULL ? policy_seal(arena, &policy_restrictive) : NULL;
}

static const char *name_of(const char *const *names, size_t count, unsigned value) {
        assert(value > 0 && value < count);
        return names[value];
}

#define NAME_FUNCTION(function, Type, ...)                                                         \
        const char *function(Type value) {                                                         \
                static const char *const names[] = { NULL, __VA_ARGS__ };                          \
                                                                                                   \
                return name_of(names, sizeof(names) / sizeof(*names), value);                      \
        }

NAME_FUNCTION(policy_access_name, PolicyAccess, "read_only", "read_write")
NAME_FUNCTION(policy_origin_name, PolicyOrigin, "author", "default", "baseline", "workdir")
NAME_FUNCTION(policy_landlock_name, PolicyLandlock, "hard_requirement", "best_effort")
NAME_FUNCTION(policy_protocol_name, PolicyProtocol, "", "tcp", "rest", "websocket", "graphql",
        "sql", "json-rpc", "mcp")
NAME_FUNCTION(policy_preset_name, PolicyPreset, "", "read-only", "read-write", "full")
NAME_FUNCTION(policy_finding_name, PolicyFindingKind, "warning", "unenforced", "denied", "bounded")
