/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/route.h"

#include "tests/helpers/unit.h"

#include <string.h>

#define PODS "/api/v1/namespaces/ns/pods/"

static const struct {
        const char *target;
        RouteKind kind;
        const char *pod_namespace, *pod, *query;
} routes[] = {
        { "/livez", ROUTE_LIVE, "", "", "" },
        { "/healthz?verbose", ROUTE_LIVE, "", "", "verbose" },
        { "/readyz", ROUTE_READY, "", "", "" },
        { "/version", ROUTE_VERSION, "", "", "" },
        { "/api?timeout=32s", ROUTE_API, "", "", "timeout=32s" },
        { "/api/", ROUTE_API, "", "", "" },
        { "/apis", ROUTE_GROUPS, "", "", "" },
        { "/api/v1", ROUTE_RESOURCES, "", "", "" },
        { "/api/v1/namespaces/ns", ROUTE_NAMESPACE, "ns", "", "" },
        { PODS "p", ROUTE_POD, "ns", "p", "" },
        { PODS "p.q-1/exec?a=/b?c", ROUTE_EXEC, "ns", "p.q-1", "a=/b?c" },
        { PODS "p/portforward", ROUTE_PORT_FORWARD, "ns", "p", "" },
        { PODS "https:p:8443/proxy" PODS "p/exec?x", ROUTE_EXEC, "ns", "p", "x" },
        { "/api/v1/namespaces/ns/services/s/proxy/api", ROUTE_API, "", "", "" },
        /* once only, and nothing but the whole prefix */
        { PODS "p/proxy" PODS "p/proxy" PODS "p", ROUTE_UNKNOWN, "", "", "" },
        { PODS "p/proxy", ROUTE_UNKNOWN, "", "", "" },
        { "/x" PODS "p", ROUTE_UNKNOWN, "", "", "" },
        { "/", ROUTE_UNKNOWN, "", "", "" },
        { "//api", ROUTE_UNKNOWN, "", "", "" },
        { "/api//v1", ROUTE_UNKNOWN, "", "", "" },
        { "/api/../apis", ROUTE_UNKNOWN, "", "", "" },
        { "/%61pi", ROUTE_UNKNOWN, "", "", "" },
        { "/apiv1", ROUTE_UNKNOWN, "", "", "" },
        { "/api/v1/pods", ROUTE_UNKNOWN, "", "", "" },
        { PODS "p/attach", ROUTE_UNKNOWN, "", "", "" },
        { PODS "p/exec/x", ROUTE_UNKNOWN, "", "", "" },
        { "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r", ROUTE_UNKNOWN, "", "", "" },
};

static void test_routes(void **state) {
        for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
                Error error = { 0 };
                Route route;

                if (route_parse(routes[i].target, &route, &error) < 0)
                        fail_msg("%s: %s", routes[i].target, error.text);
                if (route.kind != routes[i].kind)
                        fail_msg("%s is %d", routes[i].target, (int)route.kind);
                assert_string_equal(route.pod_namespace, routes[i].pod_namespace);
                assert_string_equal(route.pod, routes[i].pod);
                assert_string_equal(route.query, routes[i].query);
        }
}

static void test_bad(void **state) {
        static const char long_name[] =
                PODS "01234567890123456789012345678901234567890123456789012345678901234567890123456"
                     "78901234567890123456789"
                     "01234567890123456789012345678901234567890123456789012345678901234567890123456"
                     "78901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789";
        static const char *const bad[] = {
                "",
                "*",
                "api",
                "http://x/api",
                PODS "Upper",
                PODS "a%20b",
                PODS "..",
                PODS "-a",
                PODS "a.",
                "/api/v1/namespaces/N/pods/p",
                long_name,
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                Error error = { 0 };
                Route route;

                assert_int_equal(route_parse(bad[i], &route, &error), -1);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_routes),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
