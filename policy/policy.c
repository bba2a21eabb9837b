/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy and everything it points to is in one arena, so counting references is all there is to
 * its life. The count is not atomic: our processes have one thread.
 */
#include "policy/policy.h"

#include "base/arena.h"
#include "policy/index.h"

#include <assert.h>

/* The fixed part of the default is small; its index is a few hundred bytes. */
#define DEFAULT_SIZE_MAX ((size_t)64 * 1024)

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

/* ---- names, as the files have them; the enumerations begin with 1 ---- */

const char *policy_access_name(PolicyAccess access) {
        static const char *const names[] = { NULL, "read_only", "read_write" };

        assert(access >= POLICY_READ_ONLY && access <= POLICY_READ_WRITE);
        return names[access];
}

const char *policy_origin_name(PolicyOrigin origin) {
        static const char *const names[] = { NULL, "author", "default", "baseline", "workdir" };

        assert(origin >= POLICY_ORIGIN_AUTHOR && origin <= POLICY_ORIGIN_WORKDIR);
        return names[origin];
}

const char *policy_landlock_name(PolicyLandlock landlock) {
        static const char *const names[] = { NULL, "hard_requirement", "best_effort" };

        assert(landlock >= POLICY_LANDLOCK_HARD && landlock <= POLICY_LANDLOCK_BEST_EFFORT);
        return names[landlock];
}

const char *policy_protocol_name(PolicyProtocol protocol) {
        static const char *const names[] = { NULL, "", "tcp", "rest", "websocket", "graphql", "sql",
                "json-rpc", "mcp" };

        assert(protocol >= POLICY_PROTOCOL_NONE && protocol <= POLICY_PROTOCOL_MCP);
        return names[protocol];
}

const char *policy_preset_name(PolicyPreset preset) {
        static const char *const names[] = { NULL, "", "read-only", "read-write", "full" };

        assert(preset >= POLICY_PRESET_NONE && preset <= POLICY_PRESET_FULL);
        return names[preset];
}

const char *policy_finding_name(PolicyFindingKind kind) {
        static const char *const names[] = { NULL, "warning", "unenforced", "denied", "bounded" };

        assert(kind >= POLICY_FINDING_WARNING && kind <= POLICY_FINDING_BOUNDED);
        return names[kind];
}
