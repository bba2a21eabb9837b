/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/state.h"

#include "base/cleanup.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTAINER "\"id\": \"c1\", \"pid\": 42, \"bundle\": \"/b\", \"status\": \"creating\", "

static int parse(const char *text, Packer *result, Error *error) {
        StateText input = { .text = text, .size = strlen(text) };

        return state_parse(&input, result, error);
}

/* Keeps the packed bytes for as long as the state points into them. */
static State read_state(const char *text, Packer *result) {
        State parsed = { 0 };
        Error error = { 0 };

        *result = packer_growing(65536);
        if (parse(text, result, &error) < 0)
                fail_msg("%s", error.text);
        if (state_unpack(result->data, result->size, &parsed, &error) < 0)
                fail_msg("%s", error.text);
        return parsed;
}

static void leaves_others_alone(void **state) {
        static const char *const texts[] = {
                "{}",
                "{\"annotations\": null}",
                "{\"annotations\": {}}",
                "{" CONTAINER "\"annotations\": {\"example.com/x\": \"navigator.sandbox/inject\"}}",
                /* whatever else is strange about them */
                "{\"pid\": \"none\", \"bundle\": 7, \"id\": [], \"annotations\": {\"a\": \"b\"}}",
                "{\"annotations\": {\"io.kubernetes.cri.sandbox-id\": 7}}",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                Packer result;

                assert_false(read_state(texts[i], &result).annotated);
                packer_done(&result);
        }
}

static void reads_what_containerd_says(void **state) {
        Packer result;
        Error error = { 0 };
        State parsed = read_state("{" CONTAINER "\"annotations\": {"
                                  "\"navigator.sandbox/inject\": \"true\","
                                  "\"navigator.sandbox/policy\": \"node/strict\","
                                  "\"navigator.sandbox/container\": \"app\","
                                  "\"io.kubernetes.cri.container-type\": \"container\","
                                  "\"io.kubernetes.cri.sandbox-id\": \"pod1\","
                                  "\"io.kubernetes.cri.sandbox-name\": \"demo\","
                                  "\"io.kubernetes.cri.sandbox-namespace\": \"default\","
                                  "\"io.kubernetes.cri.sandbox-uid\": \"u-1\","
                                  "\"io.kubernetes.cri.container-name\": \"app\","
                                  "\"io.kubernetes.cri.image-name\": \"registry.example/app:1\"}}",
                &result);

        assert_true(parsed.annotated);
        assert_int_equal(state_hear(&parsed, ENGINE_CONTAINERD, &error), 0);
        assert_false(state_is_pause(&parsed));
        assert_false(parsed.stopped);
        assert_int_equal(parsed.pid, 42);
        assert_string_equal(parsed.id, "c1");
        assert_string_equal(parsed.bundle, "/b");
        assert_string_equal(parsed.policy, "node/strict");
        assert_string_equal(parsed.target, "app");
        assert_string_equal(parsed.engine.pod, "pod1");
        assert_string_equal(parsed.engine.pod_name, "demo");
        assert_string_equal(parsed.engine.pod_namespace, "default");
        assert_string_equal(parsed.engine.pod_uid, "u-1");
        assert_string_equal(parsed.engine.container_name, "app");
        assert_string_equal(parsed.engine.image, "registry.example/app:1");
        packer_done(&result);
}

static void knows_a_pause_container_and_an_end(void **state) {
        Packer result;
        Error error = { 0 };
        State parsed =
                read_state("{" CONTAINER "\"annotations\": {\"navigator.sandbox/inject\": \"true\","
                           "\"io.kubernetes.cri-o.ContainerType\": \"sandbox\"}}",
                        &result);

        assert_int_equal(state_hear(&parsed, ENGINE_CRIO, &error), 0);
        assert_true(state_is_pause(&parsed));
        packer_done(&result);

        parsed = read_state("{\"id\": \"c1\", \"bundle\": \"/b\", \"status\": \"stopped\","
                            "\"annotations\": {\"navigator.sandbox/inject\": \"true\"}}",
                &result);
        assert_true(parsed.stopped);
        assert_int_equal(parsed.pid, 0);
        packer_done(&result);
}

#define INJECT "\"navigator.sandbox/inject\": \"true\""
#define ANNOTATED(rest) "{" CONTAINER "\"annotations\": {" INJECT ", " rest "}}"

static void refuses_by_name(void **state) {
        static const struct {
                const char *text;
                const char *expected;
        } cases[] = {
                { "{" CONTAINER, "state:1:" },
                { "[]", "state: 'the whole' is not an object" },
                { "{\"annotations\": []}", "state: 'annotations' is not an object" },
                { "{\"annotations\": {}, \"annotations\": {}}",
                        "duplicate object key near '\"annotations\"'" },
                { "{" CONTAINER "\"annotations\": {\"navigator.sandbox/inject\": \"True\"}}",
                        "'navigator.sandbox/inject' is 'True'" },
                { "{" CONTAINER "\"annotations\": {\"navigator.sandbox/inject\": \"yes\"}}",
                        "the only value is 'true'" },
                { "{" CONTAINER "\"annotations\": {\"navigator.sandbox/inject\": true}}",
                        "'navigator.sandbox/inject'" },
                { "{" CONTAINER "\"annotations\": {\"navigator.sandbox/inejct\": \"true\"}}",
                        "unknown annotation 'navigator.sandbox/inejct'" },
                { "{" CONTAINER "\"annotations\": {\"navigator.sandbox/\": \"\"}}",
                        "unknown annotation 'navigator.sandbox/'" },
                { "{" CONTAINER "\"annotations\": {\"navigator.sandbox/policy\": \"image\"}}",
                        "without 'navigator.sandbox/inject" },
                { ANNOTATED("\"navigator.sandbox/policy\": \"a\\nb\""),
                        "'navigator.sandbox/policy' has a byte" },
                { ANNOTATED("\"navigator.sandbox/policy\": \"a\\u0000b\""),
                        "'navigator.sandbox/policy'" },
                { ANNOTATED("\"navigator.sandbox/policy\": \"\xc3\xa9\""),
                        "'navigator.sandbox/policy' has a byte" },
                { ANNOTATED("\"navigator.sandbox/policy\": \"\xff\""),
                        "'navigator.sandbox/policy'" },
                { ANNOTATED("\"navigator.sandbox/policy\": \"\""),
                        "'navigator.sandbox/policy' is empty" },
                { ANNOTATED("\"navigator.sandbox/container\": 7"),
                        "'navigator.sandbox/container'" },
                { ANNOTATED("\"io.kubernetes.cri.sandbox-id\": 7"),
                        "'io.kubernetes.cri.sandbox-id'" },
                { "{\"id\": \"c\", \"pid\": 0, \"bundle\": \"/b\", \"annotations\": {" INJECT "}}",
                        "'pid' is missing or 0" },
                { "{\"id\": \"c\", \"bundle\": \"/b\", \"annotations\": {" INJECT "}}",
                        "'pid' is missing or 0" },
                { "{\"id\": \"c\", \"pid\": -4, \"bundle\": \"/b\", \"annotations\": {" INJECT "}}",
                        "'pid' is negative" },
                { "{\"id\": \"c\", \"pid\": 1e9, \"bundle\": \"/b\", \"annotations\": {" INJECT
                  "}}",
                        "'pid' is more than" },
                { "{\"id\": \"c\", \"pid\": \"4\", \"bundle\": \"/b\", \"annotations\": {" INJECT
                  "}}",
                        "'pid' is not a number" },
                { "{\"id\": \"../c\", \"pid\": 4, \"bundle\": \"/b\", \"annotations\": {" INJECT
                  "}}",
                        "'id'" },
                { "{\"id\": \"c\", \"pid\": 4, \"bundle\": \"b\", \"annotations\": {" INJECT "}}",
                        "'bundle'" },
                { "{\"id\": \"c\", \"pid\": 4, \"bundle\": \"/b\", \"status\": \"running\", "
                  "\"annotations\": {" INJECT "}}",
                        "'status' is 'running'" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                Packer result = packer_growing(65536);
                Error error = { 0 };

                if (parse(cases[i].text, &result, &error) != -1)
                        fail_msg("accepted: %s", cases[i].text);
                if (strstr(error.text, cases[i].expected) == NULL)
                        fail_msg("'%s' does not say '%s'", error.text, cases[i].expected);
                packer_done(&result);
        }
}

#define EVERYBODY                                                                                  \
        ANNOTATED("\"io.kubernetes.cri.container-type\": \"sandbox\","                             \
                  "\"io.kubernetes.cri.sandbox-id\": \"containerds\","                             \
                  "\"io.kubernetes.cri.container-name\": \"navigator\","                           \
                  "\"io.kubernetes.cri.image-name\": \"localhost/containerds\","                   \
                  "\"io.kubernetes.cri-o.ContainerType\": \"container\","                          \
                  "\"io.kubernetes.cri-o.SandboxID\": \"crios\","                                  \
                  "\"io.kubernetes.cri-o.ImageName\": \"localhost/crios\","                        \
                  "\"io.kubernetes.container.name\": \"app\"")

/* What stands under another engine's keys is the author's word: for every field it is the engine
 * that decides, and nobody's keys fill what another's leave open. */
static void hears_one_engine(void **state) {
        static const struct {
                Engine engine;
                bool pause;
                const char *pod, *name, *image;
        } cases[] = {
                { ENGINE_CONTAINERD, true, "containerds", "navigator", "localhost/containerds" },
                { ENGINE_CRIO, false, "crios", "app", "localhost/crios" },
                { ENGINE_PODMAN, false, "crios", "", "" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                Packer result;
                State parsed = read_state(EVERYBODY, &result);
                Error error = { 0 };

                assert_int_equal(state_hear(&parsed, cases[i].engine, &error), 0);
                assert_int_equal(state_is_pause(&parsed), cases[i].pause);
                assert_string_equal(parsed.engine.pod, cases[i].pod);
                assert_string_equal(parsed.engine.container_name, cases[i].name);
                assert_string_equal(parsed.engine.image, cases[i].image);
                assert_string_equal(parsed.engine.pod_name, "");
                packer_done(&result);
        }
}

static void hears_nobody_it_does_not_know(void **state) {
        Packer result;
        State parsed = read_state(EVERYBODY, &result);
        Error error = { 0 };

        assert_int_equal(state_hear(&parsed, ENGINE_UNKNOWN, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_non_null(strstr(error.text, "'io.kubernetes.cri.container-type'"));
        assert_non_null(strstr(error.text, "'engine' in the node configuration"));
        packer_done(&result);

        parsed = read_state(ANNOTATED("\"example.com/a\": \"b\""), &result);
        assert_int_equal(state_hear(&parsed, ENGINE_UNKNOWN, &error), 0);
        assert_string_equal(parsed.engine.pod, "");
        assert_false(state_is_pause(&parsed));
        packer_done(&result);

        parsed = read_state(ANNOTATED("\"io.kubernetes.cri.sandbox-id\": \"../x\""), &result);
        assert_int_equal(state_hear(&parsed, ENGINE_CONTAINERD, &error), -1);
        assert_non_null(strstr(error.text, "pod id '../x'"));
        packer_done(&result);
}

static void refuses_a_long_value_by_name(void **state) {
        const size_t size = 256U * 1024U;
        cleanup_free char *value = malloc(size + 1);
        cleanup_free char *text = NULL;
        Packer result = packer_growing(65536);
        Error error = { 0 };

        assert_non_null(value);
        memset(value, 'a', size);
        value[size] = '\0';
        assert_true(
                asprintf(&text, ANNOTATED("\"navigator.sandbox/policy\": \"node/%s\""), value) > 0);
        assert_int_equal(parse(text, &result, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_non_null(
                strstr(error.text, "annotation 'navigator.sandbox/policy' has 262149 bytes"));
        packer_done(&result);
}

static void believes_no_malformed_result(void **state) {
        Packer result;
        State parsed = read_state("{" CONTAINER "\"annotations\": {" INJECT "}}", &result);
        Error error = { 0 };

        assert_true(parsed.annotated);
        for (size_t size = 0; size < result.size; size++)
                assert_int_equal(state_unpack(result.data, size, &parsed, &error), -1);
        assert_int_equal(error.kind, ERROR_PEER);
        packer_done(&result);
}

static void plain_names_are_one_component(void **state) {
        static const char *const good[] = { "a", "A-b_c.d9", "0" };
        static const char *const bad[] = { "", ".", "..", ".a", "a/b", "a b", "a\nb", "\xc3\xa9" };
        char name[130];

        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
                assert_true(state_name_is_plain(good[i]));
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_false(state_name_is_plain(bad[i]));
        memset(name, 'a', sizeof(name));
        name[129] = '\0';
        assert_false(state_name_is_plain(name));
        name[128] = '\0';
        assert_true(state_name_is_plain(name));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(leaves_others_alone),
                cmocka_unit_test(reads_what_containerd_says),
                cmocka_unit_test(knows_a_pause_container_and_an_end),
                cmocka_unit_test(hears_one_engine),
                cmocka_unit_test(hears_nobody_it_does_not_know),
                cmocka_unit_test(refuses_by_name),
                cmocka_unit_test(refuses_a_long_value_by_name),
                cmocka_unit_test(believes_no_malformed_result),
                cmocka_unit_test(plain_names_are_one_component),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
