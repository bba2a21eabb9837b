/* SPDX-License-Identifier: Apache-2.0 */

/* The shapes are Kubernetes' own (meta/v1 Status, core/v1 Pod, the unaggregated discovery), cut
 * down to what clients read. */
#include "sidecar/gateway/api.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <string.h>

static const struct {
        unsigned code;
        const char *reason;
} reasons[] = {
        { 400, "BadRequest" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "NotFound" },
        { 405, "MethodNotAllowed" },
        { 413, "RequestEntityTooLarge" },
        { 429, "TooManyRequests" },
        { 431, "RequestEntityTooLarge" },
        { 500, "InternalError" },
        { 503, "ServiceUnavailable" },
};

static const char *reason_of(unsigned code) {
        for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
                if (reasons[i].code == code)
                        return reasons[i].reason;
        return "InternalError";
}

unsigned api_code(ErrorKind kind) {
        switch (kind) {
        case ERROR_INPUT:
        case ERROR_PEER:
                return 400;
        case ERROR_DENIED:
                return 403;
        case ERROR_LIMIT:
                return 413;
        case ERROR_OS:
                break;
        }
        return 500;
}

/* Text with names from an image or a caller in it may be no UTF-8, and JSON is: then every byte
 * above ASCII becomes '?'. */
static json_t *text(const char *message) {
        json_t *value = json_string(message);
        cleanup_free char *ascii = NULL;

        if (value != NULL)
                return value;
        ascii = strdup(message);
        for (char *c = ascii; c != NULL && *c != '\0'; c++)
                if ((unsigned char)*c >= 0x80)
                        *c = '?';
        return ascii != NULL ? json_string(ascii) : NULL;
}

/* Takes the reference. */
static char *dump(json_t *document) {
        char *json = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;

        json_decref(document);
        return json;
}

char *api_discovery(RouteKind kind) {
        /* kubectl speaks WebSocket for port-forward since 1.31, and there are wrappers that choose
         * a kubectl by this. */
        if (kind == ROUTE_VERSION)
                return dump(json_pack("{s:s,s:s,s:s}", "major", "1", "minor", "32", "gitVersion",
                        "v1.32.0+navigator"));
        if (kind == ROUTE_API)
                return dump(json_pack("{s:s,s:[s]}", "kind", "APIVersions", "versions", "v1"));
        if (kind == ROUTE_GROUPS)
                return dump(json_pack(
                        "{s:s,s:s,s:[]}", "kind", "APIGroupList", "apiVersion", "v1", "groups"));
        return dump(
                json_pack("{s:s,s:s,s:[{s:s,s:s,s:b,s:s,s:[s],s:[s]}]}", "kind", "APIResourceList",
                        "groupVersion", "v1", "resources", "name", "pods", "singularName", "pod",
                        "namespaced", 1, "kind", "Pod", "verbs", "get", "shortNames", "po"));
}

char *api_namespace(const Route *route) {
        return dump(json_pack("{s:s,s:s,s:{s:s}}", "kind", "Namespace", "apiVersion", "v1",
                "metadata", "name", route->pod_namespace));
}

char *api_pod(const Route *route, const Targets *targets) {
        json_t *containers = json_array();

        for (size_t i = 0; i < targets->count; i++)
                (void)json_array_append_new(
                        containers, json_pack("{s:o}", "name", text(targets->containers[i])));
        return dump(json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:o},s:{s:s}}", "kind", "Pod", "apiVersion",
                "v1", "metadata", "name", route->pod, "namespace", route->pod_namespace, "spec",
                "containers", containers, "status", "phase", "Running"));
}

char *api_status(unsigned http_code, const char *message) {
        return dump(json_pack("{s:s,s:s,s:{},s:s,s:o,s:s,s:i}", "kind", "Status", "apiVersion",
                "v1", "metadata", "status", "Failure", "message", text(message), "reason",
                reason_of(http_code), "code", (int)http_code));
}

static void add_cause(json_t *causes, const char *reason, json_t *message) {
        (void)json_array_append_new(
                causes, json_pack("{s:s,s:o}", "reason", reason, "message", message));
}

/* Clients look for ExitCode, and the Python one takes the first of them unseen. */
static json_t *details(unsigned exit_code, const char *sandbox) {
        json_t *causes = json_array();

        if (exit_code != 0)
                add_cause(causes, "ExitCode", json_sprintf("%u", exit_code));
        if (sandbox[0] != '\0')
                add_cause(causes, "Sandbox", text(sandbox));
        return json_pack("{s:o}", "causes", causes);
}

char *api_session_exit(unsigned exit_code, const char *sandbox) {
        json_t *status = json_pack(
                "{s:{},s:s}", "metadata", "status", exit_code == 0 ? "Success" : "Failure");

        if (exit_code != 0) {
                (void)json_object_set_new(status, "message",
                        json_sprintf("command terminated with non-zero exit code: exit status %u",
                                exit_code));
                (void)json_object_set_new(status, "reason", json_string("NonZeroExitCode"));
        }
        if (exit_code != 0 || sandbox[0] != '\0')
                (void)json_object_set_new(status, "details", details(exit_code, sandbox));
        return dump(status);
}

char *api_session_failure(unsigned http_code, const char *message) {
        return dump(json_pack("{s:{},s:s,s:o,s:s,s:o,s:i}", "metadata", "status", "Failure",
                "message", text(message), "reason", reason_of(http_code), "details", details(1, ""),
                "code", (int)http_code));
}
