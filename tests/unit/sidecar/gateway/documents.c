/* SPDX-License-Identifier: Apache-2.0 */

#include "base/cleanup.h"
#include "sidecar/gateway/api.h"
#include "tests/helpers/unit.h"

#include <string.h>

static void expect(char *json, const char *text) {
        cleanup_free char *owned = json;

        assert_non_null(owned);
        assert_string_equal(owned, text);
}

static void test_documents(void **state) {
        char first[] = "c1";
        char second[] = "c2";
        char *containers[] = { first, second };
        const Targets targets = { .containers = containers, .count = 2 };
        const Route route = { .kind = ROUTE_POD, .pod_namespace = "ns", .pod = "p" };

        expect(api_discovery(ROUTE_API), "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}");
        expect(api_discovery(ROUTE_GROUPS),
                "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[]}");
        expect(api_discovery(ROUTE_RESOURCES),
                "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":"
                "\"pods\",\"singularName\":\"pod\","
                "\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":[\"get\"],\"shortNames\":[\"po\"]}]"
                "}");
        expect(api_pod(&route, &targets), "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"
                                          "\"name\":\"p\",\"namespace\":\"ns\"},"
                                          "\"spec\":{\"containers\":[{\"name\":\"c1\"},{\"name\":"
                                          "\"c2\"}]},\"status\":{\"phase\":\"Running\"}}");
        expect(api_namespace(&route),
                "{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"ns\"}}");
}

static void test_status(void **state) {
        expect(api_status(403, "no \"entry\""),
                "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
                "\"message\":\"no \\\"entry\\\"\","
                "\"reason\":\"Forbidden\",\"code\":403}");
        expect(api_session_exit(0, ""), "{\"metadata\":{},\"status\":\"Success\"}");
        expect(api_session_exit(7, ""),
                "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with "
                "non-zero exit code: exit status 7\","
                "\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\","
                "\"message\":\"7\"}]}}");
        expect(api_session_exit(0, "view: private"),
                "{\"metadata\":{},\"status\":\"Success\",\"details\":{\"causes\":[{\"reason\":"
                "\"Sandbox\",\"message\":\"view: private\"}]}}");
        expect(api_session_failure(500, "no"), "{\"metadata\":{},\"status\":\"Failure\","
                                               "\"message\":\"no\",\"reason\":\"InternalError\","
                                               "\"details\":{\"causes\":[{\"reason\":\"ExitCode\","
                                               "\"message\":\"1\"}]},\"code\":500}");
}

/* A name of the image may be no UTF-8; the document has to be. */
static void test_not_utf8(void **state) {
        cleanup_free char *json = api_status(400, "cannot run 'a\xff\xfe'");

        assert_non_null(json);
        assert_non_null(strstr(json, "cannot run 'a?"
                                     "?'"));
}

static void test_codes(void **state) {
        assert_int_equal(api_code(ERROR_INPUT), 400);
        assert_int_equal(api_code(ERROR_PEER), 400);
        assert_int_equal(api_code(ERROR_DENIED), 403);
        assert_int_equal(api_code(ERROR_LIMIT), 413);
        assert_int_equal(api_code(ERROR_OS), 500);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_documents),
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_not_utf8),
                cmocka_unit_test(test_codes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
