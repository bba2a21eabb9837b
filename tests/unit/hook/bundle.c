/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/bundle.h"

#include "tests/helpers/unit.h"

#include <string.h>
#include <sys/resource.h>

static int parse(const char *config, const char *storage, Packer *result, Error *error) {
        BundleText input = {
                .id = "c1",
                .bundle = "/run/bundle",
                .config = config,
                .config_size = strlen(config),
                .storage = storage,
                .storage_size = storage != NULL ? strlen(storage) : 0,
        };

        *result = packer_growing(1U << 20);
        return bundle_parse(&input, result, error);
}

static Bundle read_bundle(const char *config, const char *storage, Packer *result) {
        Bundle bundle = { 0 };
        Error error = { 0 };

        if (parse(config, storage, result, &error) < 0 ||
                bundle_unpack(result->data, result->size, &bundle, &error) < 0)
                fail_msg("%s", error.text);
        return bundle;
}

static void reads_what_we_use(void **state) {
        Packer result;
        Bundle bundle = read_bundle(
                "{\"root\": {\"path\": \"/storage/merged\"},"
                " \"process\": {\"user\": {\"uid\": 1000, \"gid\": 1001}, \"cwd\": \"/app\","
                "  \"args\": [\"/usr/bin/sleep\", \"inf\"], \"env\": [\"PATH=/a:/b\", "
                "\"HOSTNAME=demo\", \"X=a=b\"],"
                "  \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 1024, \"hard\": "
                "18446744073709551615}],"
                "  \"apparmorProfile\": \"cri\", \"selinuxLabel\": \"a:b:c:d\"},"
                " \"linux\": {\"mountLabel\": \"m:n\", \"rootfsPropagation\": \"rslave\"},"
                " \"mounts\": [{\"destination\": \"/proc\", \"source\": \"proc\"},"
                "  {\"destination\": \"/run/navigator-policy\", \"source\": \"/pods/x\", "
                "\"options\": [\"rbind\", \"ro\"]}]}",
                NULL, &result);

        assert_string_equal(bundle.root, "/storage/merged");
        assert_int_equal(bundle.uid, 1000);
        assert_int_equal(bundle.gid, 1001);
        assert_string_equal(bundle.directory, "/app");
        assert_string_equal(bundle.program, "/usr/bin/sleep");
        assert_string_equal(bundle_variable(&bundle, "PATH"), "/a:/b");
        assert_string_equal(bundle_variable(&bundle, "X"), "a=b");
        assert_null(bundle_variable(&bundle, "PAT"));
        assert_int_equal(bundle.limit_count, 1);
        assert_int_equal(bundle.limits[0].resource, RLIMIT_NOFILE);
        assert_int_equal(bundle.limits[0].soft, 1024);
        assert_true(bundle.limits[0].hard == RLIM_INFINITY);
        assert_string_equal(bundle.apparmor, "cri");
        assert_string_equal(bundle.selinux, "a:b:c:d");
        assert_string_equal(bundle.mount_label, "m:n");
        assert_string_equal(bundle.propagation, "rslave");
        assert_string_equal(bundle.policy_volume, "/pods/x");
        assert_true(bundle.policy_volume_read_only);
        bundle_done(&bundle);
        packer_done(&result);
}

static void has_defaults(void **state) {
        Packer result;
        Bundle bundle = read_bundle("{}", NULL, &result);

        assert_string_equal(bundle.root, "/run/bundle/rootfs");
        assert_string_equal(bundle.directory, "/");
        assert_string_equal(bundle.policy_volume, "");
        assert_false(bundle.policy_volume_read_only);
        assert_string_equal(bundle.storage_name, "");
        assert_null(bundle_variable(&bundle, "PATH"));
        bundle_done(&bundle);
        packer_done(&result);
}

static void finds_the_container_in_podmans_storage(void **state) {
        Packer result;
        Bundle bundle = read_bundle("{}",
                "[{\"id\": \"other\", \"names\": [\"x\"], \"metadata\": \"broken\"},"
                " {\"id\": \"c1\", \"names\": [\"demo-navigator\"],"
                "  \"metadata\": \"{\\\"image-name\\\": \\\"localhost/sidecar:1\\\"}\"}]",
                &result);

        assert_string_equal(bundle.storage_name, "demo-navigator");
        assert_string_equal(bundle.storage_image, "localhost/sidecar:1");
        bundle_done(&bundle);
        packer_done(&result);

        bundle = read_bundle("{}", "[{\"id\": \"other\"}]", &result);
        assert_string_equal(bundle.storage_name, "");
        bundle_done(&bundle);
        packer_done(&result);
}

static void refuses_by_name(void **state) {
        static const struct {
                const char *config;
                const char *storage;
                const char *expected;
        } cases[] = {
                { "", NULL, "config.json:1:0" },
                { "[]", NULL, "config.json" },
                { "{\"root\": {\"path\": 7}}", NULL, "'root.path' is not a string" },
                { "{\"process\": {\"user\": {\"uid\": -1}}}", NULL,
                        "'process.user.uid' is negative" },
                { "{\"process\": {\"user\": {\"gid\": 4294967296}}}", NULL,
                        "'process.user.gid' is more than" },
                { "{\"process\": {\"cwd\": \"app\"}}", NULL,
                        "'process.cwd' is not an absolute path" },
                { "{\"process\": {\"env\": {}}}", NULL, "'process.env' is not a list" },
                { "{\"process\": {\"env\": [\"A=1\", \"B=\\u0000\"]}}", NULL, "process.env[1]" },
                { "{\"process\": {\"rlimits\": [{\"type\": \"RLIMIT_X\"}]}}", NULL, "RLIMIT_X" },
                { "{\"process\": {\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"soft\": \"1\"}]}}",
                        NULL, "process.rlimits[0]" },
                { "{\"mounts\": 7}", NULL, "'mounts' is not a list" },
                { "{\"mounts\": [{\"destination\": 7}]}", NULL, "mounts[0]" },
                { "{}", "{}", "containers.json" },
                { "{}", "[{\"id\": \"c1\", \"metadata\": \"{\"}]", "the container's metadata:1:" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                Packer result;
                Error error = { 0 };

                if (parse(cases[i].config, cases[i].storage, &result, &error) != -1)
                        fail_msg("accepted: %s", cases[i].config);
                if (strstr(error.text, cases[i].expected) == NULL)
                        fail_msg("'%s' does not say '%s'", error.text, cases[i].expected);
                packer_done(&result);
        }
}

static void believes_no_malformed_result(void **state) {
        Packer result;
        Error error = { 0 };
        Bundle bundle;

        assert_int_equal(parse("{\"process\": {\"env\": [\"A=1\"]}}", NULL, &result, &error), 0);
        for (size_t size = 0; size < result.size; size++)
                assert_int_equal(bundle_unpack(result.data, size, &bundle, &error), -1);
        packer_done(&result);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_what_we_use),
                cmocka_unit_test(has_defaults),
                cmocka_unit_test(finds_the_container_in_podmans_storage),
                cmocka_unit_test(refuses_by_name),
                cmocka_unit_test(believes_no_malformed_result),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
