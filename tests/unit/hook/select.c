/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/select.h"

#include "tests/helpers/unit.h"

#include <string.h>

static const char *environment[] = { "HOSTNAME=demo", "PATH=/bin", NULL };

static State said(const char *name, const char *image) {
        return (State){ .annotated = true,
                .id = "0123",
                .engine = { .container_name = name, .image = image } };
}

static Bundle stored(const char *name, const char *image, const char *program) {
        return (Bundle){ .storage_name = name,
                .storage_image = image,
                .program = program,
                .environment = environment };
}

static Node node(void) {
        return (Node){ .sidecar_container = "navigator",
                .sidecar_images = { "localhost/sidecar:1" },
                .sidecar_image_count = 1 };
}

static void names_a_container(void **state) {
        static const struct {
                const char *engine, *storage;
                const char *expected;
        } cases[] = {
                { "app", "demo-other", "app" },
                { "", "demo-app", "app" },
                { "", "other-app", "other-app" },
                { "", "demo", "demo" },
                { "", "", "0123" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const State container = said(cases[i].engine, "");
                const Bundle bundle = stored(cases[i].storage, "", "");
                char name[SELECT_NAME_MAX];

                select_name(&container, &bundle, name);
                assert_string_equal(name, cases[i].expected);
        }
}

static void knows_the_sidecar(void **state) {
        static const struct {
                const char *engine_name, *engine_image, *storage_name, *storage_image, *program;
                Role role; /* 0: refused */
        } cases[] = {
                { "navigator", "localhost/sidecar:1", "", "", "/usr/bin/navigator-sidecar",
                        ROLE_SIDECAR },
                { "navigator", "localhost/sidecar:1", "", "", "navigator-sidecar", ROLE_SIDECAR },
                { "", "", "demo-navigator", "localhost/sidecar:1", "/navigator-sidecar",
                        ROLE_SIDECAR },
                { "", "", "other-navigator", "localhost/sidecar:1", "/navigator-sidecar",
                        ROLE_SIDECAR },
                { "navigator", "evil/sidecar:1", "", "", "/navigator-sidecar", 0 },
                { "navigator", "localhost/sidecar:1", "", "", "/bin/sh", 0 },
                { "navigator", "", "", "", "/navigator-sidecar", 0 },
                { "", "", "other-navigator", "evil", "/navigator-sidecar", 0 },
                /* the engine's image counts where the engine says one */
                { "navigator", "evil", "", "localhost/sidecar:1", "/navigator-sidecar", 0 },
                { "app", "localhost/sidecar:1", "", "", "/navigator-sidecar", ROLE_WORKLOAD },
                { "my-navigator", "x", "", "", "/bin/sh", ROLE_WORKLOAD },
                { "", "", "demo-my-navigator", "x", "/bin/sh", ROLE_WORKLOAD },
                { "", "", "demo-navigators", "x", "/bin/sh", ROLE_WORKLOAD },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const State container = said(cases[i].engine_name, cases[i].engine_image);
                const Bundle bundle =
                        stored(cases[i].storage_name, cases[i].storage_image, cases[i].program);
                const Node configured = node();
                Error error = { 0 };
                Role role = 0;
                int r = select_role(&configured, &container, &bundle, &role, &error);

                if (r != (cases[i].role != 0 ? 0 : -1) || role != cases[i].role)
                        fail_msg("case %zu: %d, role %u, %s", i, r, (unsigned)role, error.text);
                if (r < 0)
                        assert_int_equal(error.kind, ERROR_DENIED);
        }
}

static void reads_the_policy_annotation(void **state) {
        static const struct {
                const char *annotation;
                PolicySource source;
                const char *name;
        } cases[] = {
                { "", SOURCE_UNNAMED, "" },
                { "image", SOURCE_IMAGE, "" },
                { "node/strict", SOURCE_NODE, "strict" },
                { "node/a.b-c", SOURCE_NODE, "a.b-c" },
                { "configmap/web-1", SOURCE_CONFIGMAP, "web-1" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                PolicySelection selection;
                Error error = { 0 };

                assert_int_equal(select_policy(cases[i].annotation, &selection, &error), 0);
                assert_int_equal(selection.source, cases[i].source);
                assert_string_equal(selection.name, cases[i].name);
        }
}

static void refuses_other_policies_by_the_annotations_name(void **state) {
        static const char *const annotations[] = {
                "Image",
                "images",
                "node/",
                "node/../x",
                "../x",
                "node/.",
                "node/..",
                "node/a/b",
                "node/-a",
                "node/a-",
                "node/a..b",
                "node/A",
                "node/a b",
                "configmap/",
                "configmap/a_b",
                "configmap",
                "secret/x",
                "/etc/passwd",
                "node/.a",
                "node/a.",
        };
        char name[300] = "node/";

        memset(name + 5, 'a', 254);
        for (size_t i = 0; i <= sizeof(annotations) / sizeof(*annotations); i++) {
                const char *annotation =
                        i < sizeof(annotations) / sizeof(*annotations) ? annotations[i] : name;
                PolicySelection selection;
                Error error = { 0 };

                if (select_policy(annotation, &selection, &error) != -1)
                        fail_msg("accepted: '%s'", annotation);
                assert_non_null(strstr(error.text, "navigator.sandbox/policy"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_a_container),
                cmocka_unit_test(knows_the_sidecar),
                cmocka_unit_test(reads_the_policy_annotation),
                cmocka_unit_test(refuses_other_policies_by_the_annotations_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
