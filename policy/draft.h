/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Drafts: a map of the file, one pointer a key, as the key table (policy/keys.h) finds them. NULL:
 * the key is not there. The types are checked when a draft is filled, the meaning is not.
 */
struct Node;
typedef const struct Node *Draft;

typedef struct DraftPolicy {
        Draft version, filesystem, landlock, process, network_policies, network_middlewares,
                inference;
} DraftPolicy;

typedef struct DraftFilesystem {
        Draft include_workdir, read_only, read_write;
} DraftFilesystem;

typedef struct DraftLandlock {
        Draft compatibility;
} DraftLandlock;

typedef struct DraftProcess {
        Draft run_as_user, run_as_group;
} DraftProcess;

typedef struct DraftInference {
        Draft allowed_routes;
} DraftInference;

typedef struct DraftNetwork {
        Draft name, endpoints, binaries;
} DraftNetwork;

typedef struct DraftBinary {
        Draft path, harness;
} DraftBinary;

typedef struct DraftEndpoint {
        Draft host, port, ports, allowed_ips, protocol, tls, enforcement, access, rules, deny_rules,
                path;
        Draft allow_encoded_slash, websocket_credential_rewrite, request_body_credential_rewrite;
        Draft allow_uninspected_credentials, credential_signing, signing_service, signing_region,
                credential_binding;
        Draft persisted_queries, graphql_persisted_queries, graphql_max_body_bytes, json_rpc, mcp;
} DraftEndpoint;

typedef struct DraftRule {
        Draft allow;
} DraftRule;

/* What a rule matches: under `allow` of a rule, or directly in a deny rule. */
typedef struct DraftMatch {
        Draft method, path, query, command, operation_type, operation_name, fields, tool, params;
} DraftMatch;

typedef struct DraftMatcher {
        Draft any, glob;
} DraftMatcher;

typedef struct DraftOperation {
        Draft operation_type, operation_name, fields;
} DraftOperation;

typedef struct DraftBinding {
        Draft provider;
} DraftBinding;

typedef struct DraftJsonRpc {
        Draft max_body_bytes;
} DraftJsonRpc;

typedef struct DraftMcp {
        Draft max_body_bytes, strict_tool_names, allow_all_known_mcp_methods;
} DraftMcp;
