/* SPDX-License-Identifier: Apache-2.0 */

#include "webhook/settings.h"

#include "tests/helpers/unit.h"

#include <jansson.h>
#include <string.h>

#define SIDECAR "\"sidecar\": {\"name\": \"navigator\"}, "
#define VOLUMES "\"volumes\": [{\"name\": \"v\"}], "
#define VARIABLES "\"proxyVariables\": [{\"name\": \"n\", \"value\": \"v\"}], "
#define FLAGS "\"userNamespaces\": true, \"defaultContainer\": false"

static void test_good(void **state) {
        static const char text[] = "{" SIDECAR VOLUMES VARIABLES FLAGS "}";
        cleanup(settings_freep) Settings *settings = NULL;
        Error error = { 0 };

        assert_int_equal(settings_parse(text, strlen(text), &settings, &error), 0);
        assert_string_equal(
                json_string_value(json_object_get(settings->sidecar, "name")), "navigator");
        assert_int_equal(json_array_size(settings->volumes), 1);
        assert_int_equal(json_array_size(settings->proxy_variables), 1);
        assert_true(settings->user_namespaces);
        assert_false(settings->default_container);
}

static const struct {
        const char *text, *words;
} bad[] = {
        { "", "settings:1:0" },
        { "[]", "this version's" },
        { "{" VOLUMES VARIABLES FLAGS "}", "sidecar" },
        { "{" SIDECAR VOLUMES VARIABLES FLAGS ", \"more\": 1}", "more" },
        { "{" SIDECAR SIDECAR VOLUMES VARIABLES FLAGS "}", "duplicate" },
        { "{\"sidecar\": {}, " VOLUMES VARIABLES FLAGS "}", "'sidecar' is not a container" },
        { "{\"sidecar\": 1, " VOLUMES VARIABLES FLAGS "}", "'sidecar' is not a container" },
        { "{" SIDECAR "\"volumes\": {}, " VARIABLES FLAGS "}", "'volumes' is not a list" },
        { "{" SIDECAR "\"volumes\": [{}], " VARIABLES FLAGS "}", "volumes[0] has no name" },
        { "{" SIDECAR VOLUMES "\"proxyVariables\": [{\"name\": \"n\"}], " FLAGS "}",
                "proxyVariables[0] is not a name and a value" },
        { "{" SIDECAR VOLUMES
          "\"proxyVariables\": [{\"name\": \"n\", \"value\": \"v\", \"valueFrom\": {}}], " FLAGS
          "}",
                "proxyVariables[0] is not a name and a value" },
        { "{" SIDECAR VOLUMES VARIABLES "\"userNamespaces\": 1, \"defaultContainer\": false}",
                "this version's" },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                Settings *settings = NULL;
                Error error = { 0 };

                assert_int_equal(
                        settings_parse(bad[i].text, strlen(bad[i].text), &settings, &error), -1);
                assert_null(settings);
                assert_int_equal(error.kind, ERROR_INPUT);
                if (strstr(error.text, bad[i].words) == NULL)
                        fail_msg("%zu: '%s' is not in '%s'", i, bad[i].words, error.text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
