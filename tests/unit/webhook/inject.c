/* SPDX-License-Identifier: Apache-2.0 */

/* Pods and their patches: tests/data/webhook/inject.json. */
#include "webhook/inject.h"

#include "tests/helpers/unit.h"
#include "webhook/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define CASES "tests/data/webhook/inject.json"

/* The common settings with what the case says otherwise. */
static Settings *settings_of(const json_t *common, const json_t *otherwise) {
        json_t *merged = json_deep_copy(common);
        Settings *settings = NULL;
        Error error = { 0 };
        char *text;

        (void)json_object_update(merged, json_object_get(otherwise, "settings"));
        text = json_dumps(merged, 0);
        assert_non_null(text);
        if (settings_parse(text, strlen(text), &settings, &error) < 0)
                fail_msg("%s", error.text);
        free(text);
        json_decref(merged);
        return settings;
}

static void check(
        const char *name, const Settings *settings, const json_t *pod, const json_t *expected) {
        char *before = json_dumps(pod, JSON_SORT_KEYS);
        json_t *patch = NULL;
        Error error = { 0 };
        int r = inject(settings, pod, &patch, &error);
        char *after = json_dumps(pod, JSON_SORT_KEYS);

        if (r < 0)
                fail_msg("%s: %s", name, error.text);
        assert_string_equal(before, after);
        assert_int_equal(r, expected != NULL ? 1 : 0);
        if (expected != NULL && !json_equal(patch, expected)) {
                char *found = json_dumps(patch, JSON_INDENT(1));

                fail_msg("%s: another patch:\n%s", name, found);
        }
        json_decref(patch);
        free(before);
        free(after);
}

static void test_cases(void **state) {
        json_error_t where;
        json_t *document = json_load_file(CASES, JSON_REJECT_DUPLICATES, &where);
        const json_t *cases = json_object_get(document, "cases");

        if (document == NULL)
                fail_msg(CASES ":%d: %s", where.line, where.text);
        assert_true(json_array_size(cases) > 0);
        for (size_t i = 0; i < json_array_size(cases); i++) {
                const json_t *each = json_array_get(cases, i);
                cleanup(settings_freep) Settings *settings =
                        settings_of(json_object_get(document, "settings"), each);

                check(json_string_value(json_object_get(each, "name")), settings,
                        json_object_get(each, "pod"), json_object_get(each, "patch"));
        }
        json_decref(document);
}

static void test_no_pods(void **state) {
        static const char *const texts[] = { "{}", "[]", "{\"metadata\": {}}",
                "{\"metadata\": {}, \"spec\": {\"containers\": {}}}",
                "{\"metadata\": [], \"spec\": {\"containers\": []}}" };
        json_t *document = json_load_file(CASES, 0, NULL);
        cleanup(settings_freep) Settings *settings =
                settings_of(json_object_get(document, "settings"), NULL);

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                json_t *pod = json_loads(texts[i], 0, NULL), *patch = NULL;
                Error error = { 0 };

                assert_int_equal(inject(settings, pod, &patch, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                json_decref(pod);
        }
        json_decref(document);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_no_pods),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
