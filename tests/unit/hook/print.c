/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/print.h"

#include "base/cleanup.h"
#include "hook/tree.h"
#include "tests/helpers/unit.h"

#include <string.h>

static char *print(const char *engine, const char *input, Error *error) {
        char *text = NULL;
        size_t size;
        FILE *output = open_memstream(&text, &size);
        FILE *stream = fmemopen((void *)(uintptr_t)input, strlen(input), "r");
        int r = print_config(engine, "/opt/a \"b\"/navigator-hook", stream, output, error);

        (void)fclose(stream);
        (void)fclose(output);
        if (r == 0)
                return text;
        free(text);
        return NULL;
}

static const char *text_at(const char *json, const char *path, Tree *tree) {
        const char *text = "";
        Error error = { 0 };

        if (tree_parse("printed", json, strlen(json), tree, &error) < 0 ||
                value_string(tree_root(tree), path, &text, &error) < 0)
                fail_msg("%s", error.text);
        return text;
}

static void registers_with_hooks_d(void **state) {
        static const char *const engines[] = { "podman", "crio" };

        for (size_t i = 0; i < 2; i++) {
                cleanup(tree_freep) Tree tree = { 0 };
                Error error = { 0 };
                cleanup_free char *json = print(engines[i], " ", &error);

                assert_non_null(json);
                assert_string_equal(
                        text_at(json, "hook.path", &tree), "/opt/a \"b\"/navigator-hook");
                assert_int_equal(value_count(value_find(tree_root(&tree), "stages")), 2);
                assert_true(value_present(value_find(tree_root(&tree), "hook.env")));
                assert_true(value_present(value_find(tree_root(&tree), "hook.timeout")));
        }
}

static void adds_to_a_base_specification(void **state) {
        static const char spec[] =
                "{\"ociVersion\": \"1.1.0\", \"hooks\": {\"poststop\": [{\"path\": \"/x\"}]}}";
        cleanup(tree_freep) Tree tree = { 0 };
        Error error = { 0 };
        cleanup_free char *json = print("containerd-spec", spec, &error);

        assert_non_null(json);
        assert_string_equal(text_at(json, "ociVersion", &tree), "1.1.0");
        assert_int_equal(value_count(value_find(tree_root(&tree), "hooks.createRuntime")), 1);
        assert_int_equal(value_count(value_find(tree_root(&tree), "hooks.poststop")), 2);
}

static void refuses(void **state) {
        Error error = { 0 };

        assert_null(print("docker", " ", &error));
        assert_non_null(strstr(error.text, "'docker'"));
        assert_null(print("containerd-spec", "{\n", &error));
        assert_non_null(strstr(error.text, ":2:"));
        assert_null(print("containerd-spec", "[]", &error));
        assert_null(print("containerd-spec", "{\"hooks\": 7}", &error));
        assert_null(print("containerd-spec", "{\"hooks\": {\"poststop\": {}}}", &error));
}

static void prints_a_handler(void **state) {
        Error error = { 0 };
        cleanup_free char *text = print("containerd", " ", &error);

        assert_non_null(text);
        assert_non_null(strstr(text, "pod_annotations = ['navigator.sandbox/*']"));
        assert_non_null(strstr(text, "base_runtime_spec"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(registers_with_hooks_d),
                cmocka_unit_test(adds_to_a_base_specification),
                cmocka_unit_test(refuses),
                cmocka_unit_test(prints_a_handler),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
