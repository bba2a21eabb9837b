/* SPDX-License-Identifier: Apache-2.0 */

/* Which runtime a node has, and what would be written for it: each on a made-up node. */
#include "hook/install/runtime.h"

#include "tests/helpers/unit.h"
#include "tests/unit/hook/install/node.h"

#define HOOK "/opt/navigator/bin/navigator-hook"
#define IMPORTS(folder) "imports = ['" folder "/*.toml']\n"

static int detect(const TestNode *node, Runtime *runtime, Error *error) {
        return runtime_detect(&(RuntimeRequest){ .root = node->root,
                                      .hook = HOOK,
                                      .base_spec = "{\"ociVersion\":\"1.1.0\"}" },
                runtime, error);
}

static const char *file_text(const Runtime *runtime, const char *path) {
        for (size_t i = 0; i < runtime->file_count; i++)
                if (strcmp(runtime->files[i].path, path) == 0)
                        return runtime->files[i].text;
        fail_msg("no file '%s'", path);
        return "";
}

static void containerd_takes_over_the_default_runtime(void **state) {
        const TestNode *node = *state;
        cleanup(runtime_freep) Runtime runtime = { 0 };
        const char *drop_in, *spec;
        Error error = { 0 };

        node_write(node, "/run/containerd/containerd.sock", "");
        node_write(node, "/etc/containerd/config.toml",
                "version = 3\n" IMPORTS(
                        "/etc/containerd/conf.d") "[plugins.'io.containerd.cri.v1.runtime'."
                                                  "containerd]\ndefault_runtime_name = 'crun'\n"
                                                  "[plugins.'io.containerd.cri.v1.runtime'."
                                                  "containerd.runtimes.crun.options]"
                                                  "\nSystemdCgroup = true\nBinaryName = "
                                                  "'/usr/bin/crun'\n");
        assert_int_equal(detect(node, &runtime, &error), 0);
        assert_string_equal(runtime.site->name, "containerd");
        assert_int_equal(runtime.file_count, 2);
        drop_in = file_text(&runtime, "/etc/containerd/conf.d/navigator.toml");
        assert_non_null(strstr(drop_in, "version = 3\n"));
        assert_non_null(strstr(drop_in, "runtimes.navigator]\n"));
        assert_non_null(strstr(drop_in, "pod_annotations = ['navigator.sandbox/*']"));
        assert_non_null(strstr(drop_in, "BinaryName = '/usr/bin/crun'"));
        assert_non_null(strstr(drop_in, "SystemdCgroup = true"));
        spec = file_text(&runtime, "/etc/navigator/containerd-spec.json");
        assert_non_null(strstr(spec, HOOK));
        assert_non_null(strstr(spec, "createRuntime"));
        /* containerd refuses to start when a drop-in names a specification that is not there: it is
         * written first */
        assert_string_equal(runtime.files[0].path, "/etc/navigator/containerd-spec.json");
}

static void k3s_and_rke2_have_places_of_their_own(void **state) {
        static const char *const names[] = { "k3s", "rke2" };

        for (size_t i = 0; i < 2; i++) {
                void *fresh = NULL;
                const TestNode *node;
                char path[256], text[512];
                Error error = { 0 };

                assert_int_equal(node_set_up(&fresh), 0);
                node = fresh;
                cleanup(runtime_freep) Runtime runtime = { 0 };
                node_write(node, "/run/k3s/containerd/containerd.sock", "");
                (void)snprintf(path, sizeof(path),
                        "/var/lib/rancher/%s/agent/etc/containerd/config.toml", names[i]);
                (void)snprintf(text, sizeof(text),
                        "version = 3\nimports = "
                        "[\"/var/lib/rancher/%s/agent/etc/containerd/config-v3.toml.d/*.toml\"]\n",
                        names[i]);
                node_write(node, path, text);
                assert_int_equal(detect(node, &runtime, &error), 0);
                assert_string_equal(runtime.site->name, names[i]);
                (void)snprintf(path, sizeof(path),
                        "/var/lib/rancher/%s/agent/etc/containerd/config-v3.toml.d/navigator.toml",
                        names[i]);
                (void)file_text(&runtime, path);
                assert_int_equal(node_tear_down(&fresh), 0);
        }
}

static void crio(void **state) {
        const TestNode *node = *state;
        cleanup(runtime_freep) Runtime runtime = { 0 };
        const char *drop_in;
        Error error = { 0 };

        node_write(node, "/run/crio/crio.sock", "");
        node_write(node, "/usr/libexec/crio/crun", "");
        assert_int_equal(detect(node, &runtime, &error), 0);
        drop_in = file_text(&runtime, "/etc/crio/crio.conf.d/99-navigator.conf");
        assert_non_null(strstr(drop_in,
                "[crio.runtime.runtimes.navigator]\nruntime_path = \"/usr/libexec/crio/crun\""));
        assert_non_null(strstr(
                drop_in, "\"/usr/share/containers/oci/hooks.d\", \"/etc/navigator/hooks.d\""));
        assert_non_null(strstr(file_text(&runtime, "/etc/navigator/hooks.d/navigator.json"), HOOK));
}

static void refusals_say_what_to_write(void **state) {
        static const struct {
                const char *config, *words;
        } cases[] = {
                { "version = 3\n", "imports no drop-ins from '/etc/containerd/conf.d': add  "
                                   "imports = ['/etc/containerd/conf.d/*.toml']" },
                { "version = 3\n" IMPORTS("/etc/containerd/other"), "imports no drop-ins" },
                { "version = 2\n",
                        "add to it what 'navigator-hook print-config containerd' prints" },
                { "oom_score = 0\n", "of a version (below 3)" },
                { "version = 3\n" IMPORTS(
                          "/etc/containerd/conf.d") "[plugins.'io.containerd.cri.v1.runtime'."
                                                    "containerd.runtimes.runc]\nruntime_type = "
                                                    "'io.containerd.runsc.v1'\n",
                        "the hook needs runc or crun" },
        };
        const TestNode *node = *state;

        node_write(node, "/run/containerd/containerd.sock", "");
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                Runtime runtime = { 0 };
                Error error = { 0 };

                node_write(node, "/etc/containerd/config.toml", cases[i].config);
                assert_int_equal(detect(node, &runtime, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
                assert_non_null(strstr(error.text, cases[i].words));
        }
}

/* containerd 1: what the administrator added by hand is enough, and only the specification is ours.
 */
static void containerd_1_by_hand(void **state) {
        const TestNode *node = *state;
        cleanup(runtime_freep) Runtime runtime = { 0 };
        Error error = { 0 };

        node_write(node, "/run/containerd/containerd.sock", "");
        node_write(node, "/etc/containerd/config.toml",
                "version = "
                "2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.navigator]\nruntime_"
                "type = 'io.containerd.runc.v2'\n");
        assert_int_equal(detect(node, &runtime, &error), 0);
        assert_int_equal(runtime.file_count, 1);
        assert_string_equal(runtime.files[0].path, "/etc/navigator/containerd-spec.json");
}

static void nothing_there(void **state) {
        Runtime runtime = { 0 };
        Error error = { 0 };

        assert_int_equal(detect(*state, &runtime, &error), -1);
        assert_non_null(strstr(error.text, "found no container runtime"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        containerd_takes_over_the_default_runtime, node_set_up, node_tear_down),
                cmocka_unit_test(k3s_and_rke2_have_places_of_their_own),
                cmocka_unit_test_setup_teardown(crio, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        refusals_say_what_to_write, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(containerd_1_by_hand, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(nothing_there, node_set_up, node_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
