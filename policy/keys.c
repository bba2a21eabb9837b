/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Words first: `help` becomes the reference page, the manual page and what editors show, so it is
 * whole sentences for the author of a policy. A key is never removed from here: a file that has it
 * would be refused. What loses its effect becomes KEY_ACCEPTED or KEY_REFUSED, with the reason.
 */
#include "policy/keys.h"

#include "policy/draft.h"

#include <string.h>

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a type and a member cannot be put in parentheses */
#define AT(Type, field) .offset = offsetof(Type, field)
/* NOLINTNEXTLINE(bugprone-macro-parentheses): likewise */
#define SECTION(table, Type)                                                                       \
        .keys = (table), .count = sizeof(table) / sizeof(*(table)), .size = sizeof(Type)
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define NO_CREDENTIALS "sandboxes here hold no provider credentials that it could concern"
#define ABSOLUTE "^/"
/* A name, or a decimal that is no leading zero and not 0. Empty is the default. */
#define ACCOUNT "^(?!root$)([A-Za-z_][A-Za-z0-9_.-]{0,31}|[1-9][0-9]{0,9})?$"
#define ANY_NUMBER .minimum = 0, .maximum = UINT32_MAX

static const Key policy_keys[] = {
        { .name = "version",
                .kind = KEY_NUMBER,
                .effect = KEY_ENFORCED,
                .required = true,
                AT(DraftPolicy, version),
                .minimum = 1,
                .maximum = 1,
                .help = "The version of this format." },
        { .name = "filesystem_policy",
                .former = "filesystem",
                .kind = KEY_MAP,
                .effect = KEY_ENFORCED,
                AT(DraftPolicy, filesystem),
                .section = &keys_filesystem,
                .initial = "the restrictive default",
                .help = "Which paths a session may use. Without this key: read-only /usr /lib /etc "
                        "/app /var/log /proc /dev/urandom, "
                        "read-write /tmp /dev/null and the working directory." },
        { .name = "landlock",
                .kind = KEY_MAP,
                .effect = KEY_ENFORCED,
                AT(DraftPolicy, landlock),
                .section = &keys_landlock,
                .initial = "hard_requirement",
                .help = "What happens where the kernel cannot enforce the paths." },
        { .name = "process",
                .kind = KEY_MAP,
                .effect = KEY_ENFORCED,
                AT(DraftPolicy, process),
                .section = &keys_process,
                .initial = "sandbox/sandbox",
                .help = "Who a session runs as." },
        { .name = "network_policies",
                .kind = KEY_NAMED,
                .effect = KEY_ENFORCED,
                AT(DraftPolicy, network_policies),
                .section = &keys_network,
                .initial = "empty: no network",
                .help = "Which programs may connect where. Each entry is a policy of its own; what "
                        "none allows is denied." },
        { .name = "network_middlewares",
                .kind = KEY_ANYTHING,
                .effect = KEY_REFUSED,
                AT(DraftPolicy, network_middlewares),
                .initial = "empty",
                .help = "Programs that rewrite requests on their way.",
                .reason = "this build has no middleware, and running without it would let through "
                          "what it was meant to change" },
        { .name = "inference",
                .kind = KEY_MAP,
                .effect = KEY_ACCEPTED,
                AT(DraftPolicy, inference),
                .section = &keys_inference,
                .help = "Routes for inference requests.",
                .reason = "there is no inference route" },
};

static const Key filesystem_keys[] = {
        { .name = "include_workdir",
                .kind = KEY_BOOL,
                .effect = KEY_ENFORCED,
                AT(DraftFilesystem, include_workdir),
                .initial = "true",
                .help = "Adds the working directory (/sandbox) to read_write, unless a list names "
                        "it." },
        { .name = "read_only",
                .kind = KEY_TEXTS,
                .effect = KEY_ENFORCED,
                AT(DraftFilesystem, read_only),
                .pattern = ABSOLUTE,
                .initial = "empty",
                .help = "Absolute paths that may be read, executed and listed. A symlink grants "
                        "what it points to, and the load says so." },
        { .name = "read_write",
                .kind = KEY_TEXTS,
                .effect = KEY_ENFORCED,
                AT(DraftFilesystem, read_write),
                .pattern = ABSOLUTE,
                .initial = "empty",
                .help = "Absolute paths that may also be changed. Not '/', not a symlink. A "
                        "missing directory is created for the session's user." },
};

static const Key landlock_keys[] = {
        { .name = "compatibility",
                .kind = KEY_CHOICE,
                .effect = KEY_ENFORCED,
                AT(DraftLandlock, compatibility),
                .choices = WORDS("hard_requirement", "best_effort"),
                .initial = "hard_requirement",
                .help = "hard_requirement refuses a session when Landlock or a listed path is "
                        "missing; best_effort runs it with what "
                        "is there and reports the rest. All other controls are always required." },
};

static const Key process_keys[] = {
        { .name = "run_as_user",
                .kind = KEY_SCALAR,
                .effect = KEY_ENFORCED,
                AT(DraftProcess, run_as_user),
                .minimum = 1,
                .maximum = UINT32_MAX - 1,
                .pattern = ACCOUNT,
                .initial = "sandbox",
                .help = "A user of the container's own /etc/passwd, or a decimal uid "
                        "1..4294967294. Never root." },
        { .name = "run_as_group",
                .kind = KEY_SCALAR,
                .effect = KEY_ENFORCED,
                AT(DraftProcess, run_as_group),
                .minimum = 1,
                .maximum = UINT32_MAX - 1,
                .pattern = ACCOUNT,
                .initial = "sandbox",
                .help = "A group of the container's own /etc/group, or a decimal gid "
                        "1..4294967294. Never root." },
};

static const Key inference_keys[] = {
        { .name = "allowed_routes",
                .kind = KEY_TEXTS,
                .effect = KEY_ACCEPTED,
                AT(DraftInference, allowed_routes),
                .initial = "empty",
                .help = "Names of routes.",
                .reason = "there is no inference route" },
};

static const Key network_keys[] = {
        { .name = "name",
                .kind = KEY_TEXT,
                .effect = KEY_ENFORCED,
                AT(DraftNetwork, name),
                .initial = "the map key",
                .help = "What denials and the audit call this policy." },
        { .name = "endpoints",
                .kind = KEY_MAPS,
                .effect = KEY_ENFORCED,
                AT(DraftNetwork, endpoints),
                .section = &keys_endpoint,
                .initial = "empty",
                .help = "Where to." },
        { .name = "binaries",
                .kind = KEY_MAPS,
                .effect = KEY_ENFORCED,
                AT(DraftNetwork, binaries),
                .section = &keys_binary,
                .initial = "empty: nobody",
                .help = "Who: programs that may use the endpoints." },
};

static const Key binary_keys[] = {
        { .name = "path",
                .kind = KEY_TEXT,
                .effect = KEY_ENFORCED,
                .required = true,
                AT(DraftBinary, path),
                .pattern = ABSOLUTE,
                .help = "The absolute path of an executable. '*' stands for any characters within "
                        "one component, '**' across components; "
                        "/** is any program. It matches the connecting program or one that started "
                        "it. A path without "
                        "wildcard also matches what it links to; a script has the identity of its "
                        "interpreter." },
        { .name = "harness",
                .kind = KEY_BOOL,
                .effect = KEY_ACCEPTED,
                AT(DraftBinary, harness),
                .initial = "false",
                .help = "Without meaning.",
                .reason = "it has no meaning in the original either" },
};

static const Key endpoint_keys[] = {
        { .name = "host",
                .kind = KEY_TEXT,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, host),
                .help = "A host name, a literal IP address, or a pattern: '*' is one label, '**' "
                        "as the whole first label is one or more, "
                        "and in the first label '*' may also be a part (*-api.example.com). The "
                        "last two labels have no "
                        "wildcard. localhost is the workload's own loopback. May be left out where "
                        "allowed_ips is given." },
        { .name = "port",
                .kind = KEY_NUMBER,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, port),
                .minimum = 1,
                .maximum = 65535,
                .help = "A TCP port. One of port and ports is needed." },
        { .name = "ports",
                .kind = KEY_NUMBERS,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, ports),
                .minimum = 1,
                .maximum = 65535,
                .help = "Several TCP ports." },
        { .name = "allowed_ips",
                .kind = KEY_TEXTS,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, allowed_ips),
                .initial = "empty",
                .help = "IP addresses and CIDR ranges. When given, the host's addresses have to be "
                        "among them; only so may a host that is a "
                        "pattern have private ones. Without host: these very addresses. Loopback, "
                        "link-local and unspecified "
                        "ones are refused." },
        { .name = "protocol",
                .kind = KEY_CHOICE,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, protocol),
                .choices =
                        WORDS("", "tcp", "rest", "websocket", "graphql", "sql", "json-rpc", "mcp"),
                .initial = "empty",
                .help = "Empty or tcp: host, port and program decide. Any other: each request has "
                        "to be read to decide, and where this build "
                        "cannot read it the endpoint is denied as not inspectable." },
        { .name = "tls",
                .kind = KEY_CHOICE,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, tls),
                .choices = WORDS("", "skip", "terminate", "passthrough"),
                .initial = "empty",
                .help = "Empty: a TLS connection has to ask for the host that the rule is about "
                        "(server name indication). skip: it is not "
                        "looked at. terminate and passthrough load with a warning." },
        { .name = "enforcement",
                .kind = KEY_CHOICE,
                .effect = KEY_ENFORCED,
                AT(DraftEndpoint, enforcement),
                .choices = WORDS("enforce", "audit"),
                .initial = "enforce",
                .help = "audit, to learn what a workload needs: programs that the policy does not "
                        "name are "
                        "let through to the endpoint and recorded. Where requests are read, so are "
                        "those that the rules forbid." },
        { .name = "access",
                .kind = KEY_CHOICE,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, access),
                .choices = WORDS("", "read-only", "read-write", "full"),
                .initial = "empty",
                .help = "read-only: GET HEAD OPTIONS. read-write: also POST PUT PATCH. full: every "
                        "request. Instead of rules." },
        { .name = "rules",
                .kind = KEY_MAPS,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, rules),
                .section = &keys_rule,
                .help = "The requests that are allowed. Instead of access." },
        { .name = "deny_rules",
                .kind = KEY_MAPS,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, deny_rules),
                .section = &keys_deny,
                .help = "Requests that are refused whatever access or rules say." },
        { .name = "path",
                .kind = KEY_TEXT,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, path),
                .initial = "empty: all",
                .help = "A pattern of URL paths, to tell endpoints of one host and port apart." },
        { .name = "allow_encoded_slash",
                .kind = KEY_BOOL,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, allow_encoded_slash),
                .initial = "false",
                .help = "Lets %2F stand in a path." },
        { .name = "websocket_credential_rewrite",
                .kind = KEY_BOOL,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, websocket_credential_rewrite),
                .initial = "false",
                .help = "Fills in credentials in WebSocket text messages." },
        { .name = "request_body_credential_rewrite",
                .kind = KEY_BOOL,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, request_body_credential_rewrite),
                .initial = "false",
                .help = "Fills in credentials in request bodies." },
        { .name = "allow_uninspected_credentials",
                .kind = KEY_BOOL,
                .effect = KEY_ACCEPTED,
                AT(DraftEndpoint, allow_uninspected_credentials),
                .initial = "false",
                .help = "Lets provider credentials onto connections that are not read.",
                .reason = NO_CREDENTIALS },
        { .name = "credential_signing",
                .kind = KEY_CHOICE,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, credential_signing),
                .choices = WORDS("", "sigv4", "sigv4:body", "sigv4:no_body"),
                .initial = "empty",
                .help = "Signs requests with provider credentials." },
        { .name = "signing_service",
                .kind = KEY_TEXT,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, signing_service),
                .help = "The service to sign for. Needed with credential_signing." },
        { .name = "signing_region",
                .kind = KEY_TEXT,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, signing_region),
                .help = "The region to sign for." },
        { .name = "credential_binding",
                .kind = KEY_MAP,
                .effect = KEY_ACCEPTED,
                AT(DraftEndpoint, credential_binding),
                .section = &keys_binding,
                .help = "Ties a provider's credentials to this endpoint.",
                .reason = NO_CREDENTIALS },
        { .name = "persisted_queries",
                .kind = KEY_CHOICE,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, persisted_queries),
                .choices = WORDS("", "deny", "allow_registered"),
                .initial = "deny",
                .help = "GraphQL requests that name their query by a hash only." },
        { .name = "graphql_persisted_queries",
                .kind = KEY_NAMED,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, graphql_persisted_queries),
                .section = &keys_operation,
                .help = "The registered queries, by hash or id." },
        { .name = "graphql_max_body_bytes",
                .kind = KEY_NUMBER,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, graphql_max_body_bytes),
                ANY_NUMBER,
                .initial = "65536",
                .help = "The largest GraphQL request that is read." },
        { .name = "json_rpc",
                .kind = KEY_MAP,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, json_rpc),
                .section = &keys_json_rpc,
                .help = "Settings for protocol json-rpc." },
        { .name = "mcp",
                .kind = KEY_MAP,
                .effect = KEY_INSPECTION,
                AT(DraftEndpoint, mcp),
                .section = &keys_mcp,
                .help = "Settings for protocol mcp." },
};

static const Key rule_keys[] = {
        { .name = "allow",
                .kind = KEY_MAP,
                .effect = KEY_INSPECTION,
                .required = true,
                AT(DraftRule, allow),
                .section = &keys_allow,
                .help = "What a request has to match." },
};

/* An allow rule and a deny rule have the same keys, at different depths of the file. */
#define MATCH_KEYS                                                                                 \
        { .name = "method",                                                                        \
                .kind = KEY_TEXT,                                                                  \
                .effect = KEY_INSPECTION,                                                          \
                AT(DraftMatch, method),                                                            \
                .help = "An HTTP method, or * for any. For protocol websocket GET (the upgrade) "  \
                        "and WEBSOCKET_TEXT; for json-rpc and mcp the "                            \
                        "method of the call." },                                                   \
                { .name = "path",                                                                  \
                        .kind = KEY_TEXT,                                                          \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, path),                                                      \
                        .help = "A pattern of the URL path." },                                    \
                { .name = "query",                                                                 \
                        .kind = KEY_NAMED_MATCHERS,                                                \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, query),                                                     \
                        .section = &keys_matcher,                                                  \
                        .help = "Patterns of query parameters, by name. Every value has to "       \
                                "match." },                                                        \
                { .name = "command",                                                               \
                        .kind = KEY_TEXT,                                                          \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, command),                                                   \
                        .help = "A statement, for protocol sql." },                                \
                { .name = "operation_type",                                                        \
                        .kind = KEY_CHOICE,                                                        \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, operation_type),                                            \
                        .choices = WORDS("query", "mutation", "subscription", "*"),                \
                        .help = "Of a GraphQL operation." },                                       \
                { .name = "operation_name",                                                        \
                        .kind = KEY_TEXT,                                                          \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, operation_name),                                            \
                        .help = "A pattern of the GraphQL operation's name." },                    \
                { .name = "fields",                                                                \
                        .kind = KEY_TEXTS,                                                         \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, fields),                                                    \
                        .help = "Patterns of the GraphQL root fields." },                          \
                { .name = "tool",                                                                  \
                        .kind = KEY_MATCHER,                                                       \
                        .effect = KEY_INSPECTION,                                                  \
                        AT(DraftMatch, tool),                                                      \
                        .section = &keys_matcher,                                                  \
                        .help = "The tool of an MCP tools/call." },                                \
        {                                                                                          \
                .name = "params", .kind = KEY_NAMED_MATCHERS, .effect = KEY_INSPECTION,            \
                AT(DraftMatch, params), .section = &keys_matcher,                                  \
                .help = "Parameters of an MCP call; only name."                                    \
        }

static const Key match_keys[] = { MATCH_KEYS };

static const Key matcher_keys[] = {
        { .name = "any",
                .kind = KEY_TEXTS,
                .effect = KEY_INSPECTION,
                AT(DraftMatcher, any),
                .help = "Patterns of which one has to match." },
        { .name = "glob",
                .kind = KEY_TEXT,
                .effect = KEY_INSPECTION,
                AT(DraftMatcher, glob),
                .help = "One pattern." },
};

static const Key operation_keys[] = {
        { .name = "operation_type",
                .kind = KEY_CHOICE,
                .effect = KEY_INSPECTION,
                .required = true,
                AT(DraftOperation, operation_type),
                .choices = WORDS("query", "mutation", "subscription"),
                .help = "Of the registered query." },
        { .name = "operation_name",
                .kind = KEY_TEXT,
                .effect = KEY_INSPECTION,
                AT(DraftOperation, operation_name),
                .help = "Of the registered query." },
        { .name = "fields",
                .kind = KEY_TEXTS,
                .effect = KEY_INSPECTION,
                AT(DraftOperation, fields),
                .help = "Its root fields." },
};

static const Key binding_keys[] = {
        { .name = "provider",
                .kind = KEY_TEXT,
                .effect = KEY_ACCEPTED,
                .required = true,
                AT(DraftBinding, provider),
                .help = "The provider's name.",
                .reason = NO_CREDENTIALS },
};

static const Key json_rpc_keys[] = {
        { .name = "max_body_bytes",
                .kind = KEY_NUMBER,
                .effect = KEY_INSPECTION,
                AT(DraftJsonRpc, max_body_bytes),
                ANY_NUMBER,
                .initial = "65536",
                .help = "The largest request that is read." },
};

static const Key mcp_keys[] = {
        { .name = "max_body_bytes",
                .kind = KEY_NUMBER,
                .effect = KEY_INSPECTION,
                AT(DraftMcp, max_body_bytes),
                ANY_NUMBER,
                .initial = "65536",
                .help = "The largest request that is read." },
        { .name = "strict_tool_names",
                .kind = KEY_BOOL,
                .effect = KEY_INSPECTION,
                AT(DraftMcp, strict_tool_names),
                .initial = "true",
                .help = "Tool names have only letters, digits, '_', '.' and '-'." },
        { .name = "allow_all_known_mcp_methods",
                .kind = KEY_BOOL,
                .effect = KEY_INSPECTION,
                AT(DraftMcp, allow_all_known_mcp_methods),
                .initial = "false",
                .help = "Rules may leave out the method, and no rules at all means every method." },
};

const KeySection keys_policy = { .title = "policy",
        .help = "A policy file is one YAML map.",
        SECTION(policy_keys, DraftPolicy) };
const KeySection keys_filesystem = { .title = "filesystem_policy",
        .help = "At most 256 paths of at most 4096 bytes; no '..', no wildcards. What is not "
                "listed is denied, except a baseline that "
                "programs cannot do without; 'navigator policy show' marks it.",
        SECTION(filesystem_keys, DraftFilesystem) };
const KeySection keys_landlock = { .title = "landlock", SECTION(landlock_keys, DraftLandlock) };
const KeySection keys_process = { .title = "process", SECTION(process_keys, DraftProcess) };
const KeySection keys_inference = { .title = "inference", SECTION(inference_keys, DraftInference) };
const KeySection keys_network = { .title = "network_policies.NAME",
        .help = "The endpoints of all policies that a program is named by are allowed to it. Of a "
                "program and those that started it, the "
                "nearest one that a policy names decides.",
        SECTION(network_keys, DraftNetwork) };
const KeySection keys_binary = { .title = "binaries[]", SECTION(binary_keys, DraftBinary) };
const KeySection keys_endpoint = { .title = "endpoints[]",
        .help = "Whatever a rule says, loopback, link-local (cloud metadata), unspecified, "
                "multicast and broadcast addresses are never "
                "connected to; private ones only for a host that is named exactly, or by "
                "allowed_ips; the ports 2379 2380 6443 10250 "
                "10255 never through a range.",
        SECTION(endpoint_keys, DraftEndpoint) };
const KeySection keys_rule = { .title = "rules[]", SECTION(rule_keys, DraftRule) };
const KeySection keys_allow = { .title = "rules[].allow", SECTION(match_keys, DraftMatch) };
const KeySection keys_deny = { .title = "deny_rules[]", SECTION(match_keys, DraftMatch) };
const KeySection keys_matcher = { .title = "matcher",
        .help = "A pattern as text, or one of these keys.",
        SECTION(matcher_keys, DraftMatcher) };
const KeySection keys_operation = { .title = "graphql_persisted_queries.ID",
        SECTION(operation_keys, DraftOperation) };
const KeySection keys_binding = { .title = "credential_binding",
        SECTION(binding_keys, DraftBinding) };
const KeySection keys_json_rpc = { .title = "json_rpc", SECTION(json_rpc_keys, DraftJsonRpc) };
const KeySection keys_mcp = { .title = "mcp", SECTION(mcp_keys, DraftMcp) };

const Key *keys_find(const KeySection *section, const char *name) {
        for (size_t i = 0; i < section->count; i++) {
                const Key *key = &section->keys[i];

                if (strcmp(key->name, name) == 0 ||
                        (key->former != NULL && strcmp(key->former, name) == 0))
                        return key;
        }
        return NULL;
}

/* ---- did you mean ---- */

#define WORD_MAX 40U /* longer than any key; anything longer is no misspelling of one */

static unsigned smallest(unsigned a, unsigned b, unsigned c) {
        unsigned least = a < b ? a : b;

        return least < c ? least : c;
}

/* Insertions, deletions, replacements and swaps of neighbours between two words of at most WORD_MAX
 * characters. */
static unsigned distance(const char *a, const char *b) {
        unsigned cost[WORD_MAX + 1][WORD_MAX + 1];
        unsigned size_a = (unsigned)strlen(a), size_b = (unsigned)strlen(b);

        for (unsigned i = 0; i <= size_a; i++)
                cost[i][0] = i;
        for (unsigned j = 0; j <= size_b; j++)
                cost[0][j] = j;
        for (unsigned i = 1; i <= size_a; i++)
                for (unsigned j = 1; j <= size_b; j++) {
                        unsigned differ = a[i - 1] != b[j - 1];

                        cost[i][j] = smallest(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                cost[i - 1][j - 1] + differ);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                                cost[i - 2][j - 2] + 1 < cost[i][j])
                                cost[i][j] = cost[i - 2][j - 2] + 1;
                }
        return cost[size_a][size_b];
}

/* Names differ in '-' and '_', in case and in the plural more often than in a letter. */
static void plain(const char *word, char ret_plain[static WORD_MAX + 1]) {
        size_t size = 0;

        for (; *word != '\0'; word++)
                ret_plain[size++] = (char)(*word == '-'                   ? '_'
                                           : *word >= 'A' && *word <= 'Z' ? *word - 'A' + 'a'
                                                                          : *word);
        ret_plain[size] = '\0';
}

static bool is_near(const char *name, const char *word, unsigned *best) {
        char plain_name[WORD_MAX + 1] = "", plain_word[WORD_MAX + 1] = "";
        unsigned allowed = (unsigned)strlen(word) / 3, far;

        if (strlen(name) > WORD_MAX || strlen(word) > WORD_MAX)
                return false;
        plain(name, plain_name);
        plain(word, plain_word);
        far = distance(plain_name, plain_word);
        if (far > allowed || far >= *best)
                return false;
        *best = far;
        return true;
}

const char *keys_guess(const KeySection *section, const char *name) {
        const char *guess = NULL;
        unsigned best = WORD_MAX;

        for (size_t i = 0; i < section->count; i++) {
                const Key *key = &section->keys[i];

                if (is_near(name, key->name, &best) ||
                        (key->former != NULL && is_near(name, key->former, &best)))
                        guess = key->name;
        }
        return guess;
}

const char *keys_guess_word(const char *const *words, const char *name) {
        const char *guess = NULL;
        unsigned best = WORD_MAX;

        for (size_t i = 0; words[i] != NULL; i++)
                if (is_near(name, words[i], &best))
                        guess = words[i];
        return guess;
}
