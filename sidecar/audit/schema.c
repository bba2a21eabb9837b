/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers and attributes are those of OCSF 1.6.0, with the profiles container, datetime, host and
 * security_control; docs/formats/audit.md has the tables in words. */
#include "sidecar/audit/schema.h"

#include <string.h>

/* status: 1 Success, 2 Failure. severity: 1 Informational, 2 Low, 3 Medium. action: 1 Allowed,
 * 2 Denied, 3 Observed. disposition: 1 Allowed, 2 Blocked, 17 Logged. */
#define DONE                                                                                       \
        { 1, 1, 0, 0 }
#define TROUBLE                                                                                    \
        { 2, 3, 0, 0 }
#define ALLOWED                                                                                    \
        { 1, 1, 1, 1 }
#define FAILED                                                                                     \
        { 2, 2, 1, 1 }
#define DENIED                                                                                     \
        { 2, 3, 2, 2 }
#define OBSERVED                                                                                   \
        { 1, 2, 3, 17 }

enum { LOG = 1 };                                    /* of 5019 */
enum { LAUNCH = 1, TERMINATE = 2 };                  /* of 1007 */
enum { OPEN = 1, FAIL = 4, REFUSE = 5, LISTEN = 7 }; /* of 4001 */
enum { QUERY = 1 };                                  /* of 4003 */
enum { START = 3, STOP = 4 };                        /* of 6002 */
enum { CREATE = 1 };                                 /* of 6003 */
enum { OTHER = 99 };

#define CONNECTION "< {binary}>< ({pid})> ->< {protocol}>< {host}><:{port}>< ({address})>"
#define WHY "<, policy {policy}><, {reason}><: {detail}>< (and {repeated} more)>"
#define TARGET "{container}< of {pod}>, policy< {policy_source}> {policy_sha256}"

static const AuditForm forms[] = {
        { "launcher", "process_ready", NULL, NULL, AUDIT_APPLICATION_LIFECYCLE, START, DONE,
                "app started: {process}" },
        { "launcher", "process_ended", NULL, NULL, AUDIT_APPLICATION_LIFECYCLE, STOP, TROUBLE,
                "app ended: {process}" },
        { "launcher", "container_taken", NULL, NULL, AUDIT_CONFIG_STATE_CHANGE, LOG, DONE,
                "container taken: " TARGET },
        { "launcher", "container_ended", NULL, NULL, AUDIT_CONFIG_STATE_CHANGE, LOG, DONE,
                "container ended: " TARGET },
        { "launcher", "container_refused", NULL, NULL, AUDIT_CONFIG_STATE_CHANGE, LOG, TROUBLE,
                "container refused: {container}<: {reason}>" },
        { "launcher", "policy_in_force", NULL, NULL, AUDIT_CONFIG_STATE_CHANGE, LOG, DONE,
                "policy in force: generation {generation}, {policy_sha256}" },
        { "launcher", "policy_changed", NULL, NULL, AUDIT_CONFIG_STATE_CHANGE, LOG, DONE,
                "policy changed: {policy_sha256}<, for later: {waits_for_restart}>" },
        { "launcher", "policy_refused", NULL, NULL, AUDIT_CONFIG_STATE_CHANGE, LOG, TROUBLE,
                "policy refused: {policy_sha256}<: {reason}>" },
        { "launcher", "session_start", NULL, NULL, AUDIT_PROCESS_ACTIVITY, LAUNCH, ALLOWED,
                "session {session} started: {caller}< ({source})> runs {arguments} in "
                "{container} as {uid}<; {status}>" },
        { "launcher", "session_refused", NULL, NULL, AUDIT_PROCESS_ACTIVITY, LAUNCH, DENIED,
                "session< {session}> refused: {reason}" },
        { "launcher", "session_end", NULL, NULL, AUDIT_PROCESS_ACTIVITY, TERMINATE, DONE,
                "session {session} ended: exit code {exit_code} after {milliseconds} ms<, "
                "{reason}>" },
        { "gateway", "request_denied", NULL, NULL, AUDIT_API_ACTIVITY, CREATE, DENIED,
                "request denied:< {caller}>< ({source})> {code}<: {reason}>" },
        { "gateway", "port_forward", NULL, NULL, AUDIT_NETWORK_ACTIVITY, OPEN, ALLOWED,
                "port forwarded: {caller}< ({source})> -> 127.0.0.1:{port}" },
        { "egress", "listener_refused", NULL, NULL, AUDIT_NETWORK_ACTIVITY, LISTEN, TROUBLE,
                "port not served: {address}:{port}<: {reason}>" },
        /* The verdicts of egress, and the same of names; "network_repeated" is taken for "network"
         * here. */
        { "egress", "network", "names", "denied", AUDIT_DNS_ACTIVITY, QUERY, DENIED,
                "name denied:< {protocol}> {host}" WHY },
        { "egress", "network", "names", NULL, AUDIT_DNS_ACTIVITY, QUERY, ALLOWED,
                "name answered:< {protocol}> {host}" WHY },
        { "egress", "network", "direct", "denied", AUDIT_NETWORK_ACTIVITY, REFUSE, DENIED,
                "denied: {protocol} to {address}<:{port}>< ({host})>" WHY },
        { "egress", "network", NULL, "denied", AUDIT_NETWORK_ACTIVITY, REFUSE, DENIED,
                "denied:" CONNECTION WHY },
        { "egress", "network", NULL, "let_through", AUDIT_NETWORK_ACTIVITY, OPEN, OBSERVED,
                "let through:" CONNECTION WHY },
        { "egress", "network", NULL, "failed", AUDIT_NETWORK_ACTIVITY, FAIL, FAILED,
                "failed:" CONNECTION WHY },
        { "egress", "network", NULL, "allowed", AUDIT_NETWORK_ACTIVITY, OPEN, ALLOWED,
                "allowed:" CONNECTION WHY },
};

static const AuditForm base_event = { NULL, NULL, NULL, NULL, AUDIT_BASE_EVENT, OTHER, { 0 },
        NULL };

#define PROCESS (1U << 0)
#define NETWORK (1U << 1)
#define DNS (1U << 2)
#define CONFIG (1U << 3)
#define APPLICATION (1U << 4)
#define API (1U << 5)
#define EVERY (PROCESS | NETWORK | DNS | CONFIG | APPLICATION | API)

#define TEXT AUDIT_KIND_TEXT
#define NUMBER AUDIT_KIND_NUMBER

static const AuditPath paths[] = {
        { "repeated", "count", NULL, NETWORK | DNS, NUMBER, NULL },
        { "milliseconds", "duration", NULL, PROCESS, NUMBER, NULL },
        { "exit_code", "exit_code", NULL, PROCESS, NUMBER, NULL },
        { "reason", "status_code", "egress", NETWORK | DNS, TEXT, NULL },
        { "detail", "status_detail", "egress", NETWORK | DNS, TEXT, NULL },
        { "reason", "status_detail", NULL, EVERY, TEXT, NULL },

        { NULL, "actor.app_name", NULL, PROCESS, TEXT, "\"navigator\"" },
        { "binary", "actor.process.path", NULL, NETWORK | DNS, TEXT, NULL },
        { "pid", "actor.process.pid", NULL, NETWORK | DNS, NUMBER, NULL },
        { "caller", "actor.user.name", NULL, PROCESS | NETWORK | API, TEXT, NULL },
        { NULL, "api.operation", NULL, API, TEXT, "\"create sessions.navigator.sandbox\"" },
        { "code", "api.response.code", NULL, API, NUMBER, NULL },
        { "process", "app.name", NULL, APPLICATION, TEXT, NULL },
        { NULL, "connection_info.direction_id", "egress", NETWORK, NUMBER, "2" },
        { NULL, "connection_info.direction_id", "gateway", NETWORK, NUMBER, "1" },
        { "protocol", "connection_info.protocol_name", NULL, NETWORK, TEXT, NULL },
        { "container", "container.name", NULL, EVERY, TEXT, NULL },
        { "container_id", "container.uid", NULL, EVERY, TEXT, NULL },
        { "pod", "device.hostname", NULL, PROCESS | CONFIG | API, TEXT, NULL },
        { NULL, "device.type_id", NULL, PROCESS | CONFIG | API, NUMBER, "99" },
        { "host", "dst_endpoint.hostname", NULL, NETWORK, TEXT, NULL },
        { "address", "dst_endpoint.ip", "egress", NETWORK, TEXT, NULL },
        { NULL, "dst_endpoint.ip", "gateway", NETWORK, TEXT, "\"127.0.0.1\"" },
        { "port", "dst_endpoint.port", NULL, NETWORK, NUMBER, NULL },
        { "rule", "firewall_rule.name", NULL, NETWORK, TEXT, NULL },
        { "policy", "policy.name", NULL, NETWORK | DNS, TEXT, NULL },
        { "policy_source", "policy.name", NULL, PROCESS | CONFIG, TEXT, NULL },
        { "policy_sha256", "policy.uid", NULL, PROCESS | CONFIG, TEXT, NULL },
        { "generation", "policy.version", NULL, NETWORK | DNS | CONFIG, TEXT, NULL },
        { NULL, "process.sandbox", NULL, PROCESS, TEXT, "\"navigator\"" },
        { "session", "process.uid", NULL, PROCESS, TEXT, NULL },
        { "uid", "process.user.uid", NULL, PROCESS, TEXT, NULL },
        { "directory", "process.working_directory", NULL, PROCESS, TEXT, NULL },
        { "host", "query.hostname", NULL, DNS, TEXT, NULL },
        { "protocol", "query.type", NULL, DNS, TEXT, NULL },
        { "source", "src_endpoint.name", "gateway", NETWORK | API, TEXT, NULL },
};

unsigned audit_class_bit(AuditClass class) {
        switch (class) {
        case AUDIT_PROCESS_ACTIVITY:
                return PROCESS;
        case AUDIT_NETWORK_ACTIVITY:
                return NETWORK;
        case AUDIT_DNS_ACTIVITY:
                return DNS;
        case AUDIT_CONFIG_STATE_CHANGE:
                return CONFIG;
        case AUDIT_APPLICATION_LIFECYCLE:
                return APPLICATION;
        case AUDIT_API_ACTIVITY:
                return API;
        case AUDIT_BASE_EVENT:
                break;
        }
        return 0;
}

/* The fields that are compared are words of ours, which JSON does not escape. */
static bool has_value(const AuditEvent *event, const char *key, const char *wanted) {
        const char *value = audit_find(event, key);
        const size_t size = strlen(wanted);

        return value != NULL && value[0] == '"' && strncmp(value + 1, wanted, size) == 0 &&
               strcmp(value + 1 + size, "\"") == 0;
}

static bool is_of_form(const AuditEvent *event, const AuditForm *form) {
        const bool repeated = strcmp(event->name, "network_repeated") == 0;

        return strcmp(form->role, event->role) == 0 &&
               strcmp(form->event, repeated ? "network" : event->name) == 0 &&
               (form->via == NULL || has_value(event, "via", form->via)) &&
               (form->verdict == NULL || has_value(event, "verdict", form->verdict));
}

const AuditForm *audit_form(const AuditEvent *event) {
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
                if (is_of_form(event, &forms[i]))
                        return &forms[i];
        return &base_event;
}

const AuditPath *audit_paths(size_t *ret_count) {
        *ret_count = sizeof(paths) / sizeof(paths[0]);
        return paths;
}

const AuditPath *audit_path(const char *key, const char *role, AuditClass class) {
        const unsigned bit = audit_class_bit(class);

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
                if (paths[i].key != NULL && (paths[i].classes & bit) != 0 &&
                        (paths[i].role == NULL || strcmp(paths[i].role, role) == 0) &&
                        strcmp(paths[i].key, key) == 0)
                        return &paths[i];
        return NULL;
}
