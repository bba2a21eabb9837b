/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policy: what a sandbox may do, as its author wrote it, checked and normalised. The model of
 * docs/formats/policy.md.
 *
 * Immutable once made, and counted: whoever keeps a Policy holds a reference, a reload makes
 * another and swaps the pointer. Everything that a Policy points to lives exactly as long as it
 * does. It is made by policy_parse() (policy/parse.h, from YAML), by policy_unpack()
 * (policy/flat.h, from another process), by policy_default(), or by policy_bound()
 * (policy/ceiling.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "policy/address.h"

#define POLICY_TEXT_MAX ((size_t)256 * 1024) /* bytes of a policy file */
#define POLICY_PATHS_MAX 256U                /* read_only and read_write together */
#define POLICY_PATH_SIZE_MAX 4096U /* bytes of one path, as the original's users know it */
#define POLICY_WORKDIR "/sandbox"  /* what include_workdir adds where nobody says otherwise */
#define POLICY_USER "sandbox"

/* Where in the author's file something stands, counted from 1; 0 where nobody wrote it. */
typedef struct PolicyPosition {
        uint32_t line, column;
} PolicyPosition;

typedef enum PolicyAccess {
        POLICY_READ_ONLY = 1, /* read, execute, list */
        POLICY_READ_WRITE,    /* every right that is handled */
} PolicyAccess;

typedef enum PolicyOrigin {
        POLICY_ORIGIN_AUTHOR = 1,
        POLICY_ORIGIN_DEFAULT,  /* the restrictive default, where the file has no filesystem_policy
                                 */
        POLICY_ORIGIN_BASELINE, /* what programs cannot do without; never widens a path that the
                                   policy names */
        POLICY_ORIGIN_WORKDIR,  /* include_workdir */
} PolicyOrigin;

typedef struct PolicyPath {
        const char *path; /* absolute, normal */
        PolicyAccess access;
        PolicyOrigin origin;
        bool must_exist; /* an author wrote it: a missing one is an error under hard_requirement */
        PolicyPosition position;
} PolicyPath;

typedef enum PolicyLandlock {
        POLICY_LANDLOCK_HARD = 1, /* hard_requirement */
        POLICY_LANDLOCK_BEST_EFFORT,
} PolicyLandlock;

typedef enum PolicyProtocol {
        POLICY_PROTOCOL_NONE = 1, /* decided by host, port and binary */
        POLICY_PROTOCOL_TCP,      /* the same, said aloud */
        POLICY_PROTOCOL_REST,     /* from here on: requests have to be read */
        POLICY_PROTOCOL_WEBSOCKET,
        POLICY_PROTOCOL_GRAPHQL,
        POLICY_PROTOCOL_SQL,
        POLICY_PROTOCOL_JSON_RPC,
        POLICY_PROTOCOL_MCP,
} PolicyProtocol;

typedef enum PolicyTls {
        POLICY_TLS_CHECK = 1, /* the ClientHello must name the host that was asked for */
        POLICY_TLS_SKIP,
} PolicyTls;

typedef enum PolicyEnforcement { POLICY_ENFORCE = 1, POLICY_AUDIT } PolicyEnforcement;

typedef enum PolicyPreset {
        POLICY_PRESET_NONE = 1,
        POLICY_PRESET_READ_ONLY,  /* GET HEAD OPTIONS */
        POLICY_PRESET_READ_WRITE, /* and POST PUT PATCH */
        POLICY_PRESET_FULL,
} PolicyPreset;

typedef struct PolicyQuery {
        const char *name;
        const char *const *values; /* patterns: one of them has to match */
        uint32_t value_count;
} PolicyQuery;

/* One allow or deny rule on requests; of the protocols that this model can express (rest,
 * websocket). */
typedef struct PolicyRule {
        const char *method; /* upper case, or "*" */
        const char *path;   /* pattern */
        const PolicyQuery *query;
        uint32_t query_count;
        PolicyPosition position;
} PolicyRule;

typedef struct PolicyEndpoint {
        const char
                *host; /* pattern, lower case, no trailing dot; "" where allowed_ips say it all */
        bool exact;    /* host is a name or a literal address, no pattern */
        const uint16_t *ports;
        uint32_t port_count;
        const AddressRange *allowed_ips;
        uint32_t allowed_ip_count;
        PolicyProtocol protocol;
        PolicyTls tls;
        PolicyEnforcement enforcement;
        PolicyPreset access;
        const char *path; /* pattern that selects among endpoints of one host and port; "" = all */
        const char *settings; /* what is said about requests besides, as canonical text; "" */
        const PolicyRule *rules, *deny_rules;
        uint32_t rule_count, deny_rule_count;
        PolicyPosition position;
} PolicyEndpoint;

typedef struct PolicyBinary {
        const char *path; /* pattern: '*' within a component, '**' across */
        bool exact;       /* no wildcard: also matched by device and inode, see policy/decide.h */
        uint32_t number;  /* 0 .. Policy.binary_count - 1, over the whole policy and its ceiling */
        PolicyPosition position;
} PolicyBinary;

/* One entry of network_policies. */
typedef struct PolicyNetwork {
        const char *key;
        const char *name; /* for people: denials and audit */
        const PolicyEndpoint *endpoints;
        uint32_t endpoint_count;
        const PolicyBinary *binaries;
        uint32_t binary_count;
        PolicyPosition position;
} PolicyNetwork;

/* What the author should know although the policy loads: `policy check` prints it, the audit line
 * of the load and /readyz carry it. */
typedef enum PolicyFindingKind {
        POLICY_FINDING_WARNING = 1,
        POLICY_FINDING_UNENFORCED, /* a key that is accepted and has no effect here */
        POLICY_FINDING_DENIED, /* an endpoint that is denied because this build cannot inspect it */
        POLICY_FINDING_BOUNDED, /* what the node's ceiling took away */
} PolicyFindingKind;

typedef struct PolicyFinding {
        PolicyFindingKind kind;
        PolicyPosition position;
        const char *text;
} PolicyFinding;

typedef struct Policy {
        const PolicyPath *paths; /* origin author or default */
        uint32_t path_count;
        bool include_workdir;
        PolicyLandlock landlock;
        const char *user, *group; /* a name, or a decimal 1..4294967294 */
        PolicyPosition user_position, group_position;
        const PolicyNetwork *networks;
        uint32_t network_count;
        uint32_t binary_count;               /* of all networks and of the ceiling's */
        const char *const *inference_routes; /* accepted, not enforced here */
        uint32_t inference_route_count;
        const PolicyFinding *findings;
        uint32_t finding_count;
        const struct Policy
                *ceiling; /* NULL, or what the node bounds it with: both have to allow */

        const struct PolicyIndex *index; /* of policy/decide.c */
        struct PolicyStore *store;       /* of policy/policy.c: the memory and the count */
} Policy;

Policy *policy_ref(const Policy *policy);
Policy *policy_unref(const Policy *policy); /* returns NULL */
DEFINE_CLEANUP(Policy *, policy_unref);

/* The restrictive default: what runs where a policy is unusable and may not be refused. No network.
 * NULL without memory. */
Policy *policy_default(void);
/* Its fields, for those who fill in what a file leaves out. */
extern const Policy policy_restrictive;

/* For those who make policies. `fields` and all it points to, its ceiling too, are in `arena`,
 * which the policy owns from here on, also when this fails. The result is the finished, indexed
 * copy; NULL without memory. */
struct Arena;
Policy *policy_seal(struct Arena *arena, const Policy *fields);

const char *policy_access_name(PolicyAccess access);
const char *policy_origin_name(PolicyOrigin origin);
const char *policy_landlock_name(PolicyLandlock landlock);
const char *policy_protocol_name(PolicyProtocol protocol);
const char *policy_preset_name(PolicyPreset preset); /* "" for none */
const char *policy_finding_name(PolicyFindingKind kind);
