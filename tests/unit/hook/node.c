/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/node.h"

#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Node parse(const char *text) {
        Node node = { 0 };
        Error error = { 0 };

        if (node_parse("node.json", text, strlen(text), &node, &error) < 0)
                fail_msg("%s", error.text);
        return node;
}

static void has_defaults(void **state) {
        cleanup(node_freep) Node node = parse("{}");

        assert_string_equal(node.run_directory, "/run/navigator");
        assert_string_equal(node.policy_directory, "/etc/navigator/policies");
        assert_string_equal(node.ceiling, "/etc/navigator/ceiling.yaml");
        assert_string_equal(node.authorities, "/etc/navigator/certificate-authorities.pem");
        assert_true(node.image_policy);
        assert_string_equal(node.sidecar_container, "navigator");
        assert_true(node_knows_image(&node, "localhost/navigator-sidecar:latest"));
        assert_false(node_knows_image(&node, ""));
        assert_int_equal(node.sandbox_uid, 64750);
        assert_int_equal(node.sandbox_gid, 64750);
        assert_int_equal(node.home_size, 64 * 1024 * 1024);
}

static void reads_every_key(void **state) {
        cleanup(node_freep) Node node =
                parse("{\"run_directory\": \"/r\", \"certificate_authorities\": \"/a\","
                      "\"policy\": {\"directory\": \"/p\", \"ceiling\": \"/c\", \"image\": false},"
                      "\"sidecar\": {\"container\": \"guard\", \"images\": [\"a:1\", \"b:2\"]},"
                      "\"sandbox\": {\"uid\": 5, \"gid\": 6, \"home_size\": 7}}");

        assert_string_equal(node.run_directory, "/r");
        assert_string_equal(node.policy_directory, "/p");
        assert_string_equal(node.ceiling, "/c");
        assert_string_equal(node.authorities, "/a");
        assert_false(node.image_policy);
        assert_string_equal(node.sidecar_container, "guard");
        assert_true(node_knows_image(&node, "b:2"));
        assert_false(node_knows_image(&node, "b:2x"));
        assert_false(node_knows_image(&node, "localhost/navigator-sidecar:latest"));
        assert_int_equal(node.sandbox_uid, 5);
        assert_int_equal(node.sandbox_gid, 6);
        assert_int_equal(node.home_size, 7);
}

static void refuses_by_name(void **state) {
        static const struct {
                const char *text;
                const char *expected;
        } cases[] = {
                { "{", "node.json:1:" },
                { "{\"run_directry\": \"/r\"}", "unknown key 'run_directry'" },
                { "{\"run\": \"/r\"}", "unknown key 'run'" },
                { "{\"policy\": {\"dir\": \"/p\"}}", "unknown key 'policy.dir'" },
                { "{\"policy\": \"/p\"}", "'policy' is not an object" },
                { "{\"policy.directory\": \"/p\"}", "'policy.directory'" },
                { "{\"run_directory\": \"r\"}", "'run_directory' is not an absolute path" },
                { "{\"run_directory\": \"\"}", "'run_directory' is empty" },
                { "{\"engine\": \"docker\"}", "'engine' is 'docker'; it can be" },
                { "{\"engine\": 7}", "'engine'" },
                { "{\"sandbox\": {\"uid\": 0}}", "'sandbox.uid' is 0, which is root" },
                { "{\"sandbox\": {\"gid\": 64701}}", "'sandbox.gid' is 64701" },
                { "{\"sandbox\": {\"gid\": 4294967295}}", "'sandbox.gid' is more than 4294967294" },
                { "{\"sidecar\": {\"images\": [7]}}", "sidecar.images[0]" },
                { "{\"policy\": {\"image\": \"no\"}}", "'policy.image' is not true or false" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                Node node;
                Error error = { 0 };

                if (node_parse("node.json", cases[i].text, strlen(cases[i].text), &node, &error) !=
                        -1)
                        fail_msg("accepted: %s", cases[i].text);
                if (strstr(error.text, cases[i].expected) == NULL)
                        fail_msg("'%s' does not say '%s'", error.text, cases[i].expected);
        }
}

static void refuses_a_file_that_others_can_write(void **state) {
        char path[] = "/tmp/navigator-node-XXXXXX";
        cleanup_fd int fd = mkostemp(path, O_CLOEXEC);
        Node node;
        Error error = { 0 };

        assert_true(fd >= 0);
        assert_int_equal(write(fd, "{}", 2), 2);
        if (geteuid() != 0) {
                print_message("not root: a file of root's cannot be made\n");
                skip();
        }
        assert_int_equal(node_read(path, &node, &error), 0);
        (void)node_free(node);
        assert_int_equal(fchmod(fd, 0620), 0);
        assert_int_equal(node_read(path, &node, &error), -1);
        assert_int_equal(error.kind, ERROR_DENIED);
        assert_int_equal(fchmod(fd, 0600), 0);
        assert_int_equal(fchown(fd, 12345, 0), 0);
        assert_int_equal(node_read(path, &node, &error), -1);
        assert_int_equal(error.kind, ERROR_DENIED);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(node_read(path, &node, &error), -1);
        assert_non_null(strstr(error.text, path));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(has_defaults),
                cmocka_unit_test(reads_every_key),
                cmocka_unit_test(refuses_by_name),
                cmocka_unit_test(refuses_a_file_that_others_can_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
