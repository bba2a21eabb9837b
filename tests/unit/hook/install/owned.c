/* SPDX-License-Identifier: Apache-2.0 */

/* The installer touches what it wrote, as it wrote it, and nothing else. */
#include "hook/install/owned.h"

#include "tests/helpers/unit.h"
#include "tests/unit/hook/install/node.h"

#include <errno.h>

#define LIST "/etc/navigator/installed"

static Owned *open_list(const TestNode *node) {
        Owned *owned = NULL;
        Error error = { 0 };

        assert_int_equal(owned_open(node->root, LIST, &owned, &error), 0);
        return owned;
}

static void want(Owned *owned, const char *path, const char *text) {
        Error error = { 0 };

        assert_int_equal(owned_want(owned, path, text, strlen(text), 0644, &error), 0);
}

static int apply(const TestNode *node, const char *path, const char *text, Error *error) {
        cleanup(owned_freep) Owned *owned = open_list(node);

        want(owned, path, text);
        return owned_apply(owned, error);
}

static void writes_and_replaces_its_own(void **state) {
        const TestNode *node = *state;
        char buffer[4096];
        Error error = { 0 };

        assert_int_equal(apply(node, "/etc/a/b/file", "one", &error), 0);
        assert_string_equal(node_text(node, "/etc/a/b/file", buffer), "one");
        assert_int_equal(apply(node, "/etc/a/b/file", "two", &error), 0);
        assert_string_equal(node_text(node, "/etc/a/b/file", buffer), "two");
        assert_non_null(strstr(node_text(node, LIST, buffer), "  /etc/a/b/file\n"));
}

static void leaves_an_unchanged_file_alone(void **state) {
        const TestNode *node = *state;
        struct stat before, after;
        char path[512];
        Error error = { 0 };

        assert_int_equal(apply(node, "/etc/file", "same", &error), 0);
        assert_int_equal(stat(node_path(node, "/etc/file", path), &before), 0);
        assert_int_equal(apply(node, "/etc/file", "same", &error), 0);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
}

static void removes_what_is_no_longer_wanted(void **state) {
        const TestNode *node = *state;
        char path[512];
        Error error = { 0 };

        assert_int_equal(apply(node, "/etc/old", "x", &error), 0);
        assert_int_equal(apply(node, "/etc/new", "x", &error), 0);
        assert_int_equal(access(node_path(node, "/etc/old", path), F_OK), -1);
        assert_int_equal(access(node_path(node, "/etc/new", path), F_OK), 0);
}

static void refuses_a_strangers_file(void **state) {
        const TestNode *node = *state;
        char buffer[4096], path[512];
        cleanup(owned_freep) Owned *owned = open_list(node);
        Error error = { 0 };

        node_write(node, "/etc/theirs", "theirs");
        want(owned, "/etc/first", "ours");
        want(owned, "/etc/theirs", "ours");
        assert_int_equal(owned_apply(owned, &error), -1);
        assert_int_equal(error.kind, ERROR_DENIED);
        assert_non_null(
                strstr(error.text, "'/etc/theirs' on the node was not written by this installer"));
        assert_string_equal(node_text(node, "/etc/theirs", buffer), "theirs");
        assert_int_equal(
                access(node_path(node, "/etc/first", path), F_OK), -1); /* nothing half applied */
}

static void refuses_a_file_changed_since(void **state) {
        const TestNode *node = *state;
        char buffer[4096];
        Error error = { 0 };

        assert_int_equal(apply(node, "/etc/file", "ours", &error), 0);
        node_write(node, "/etc/file", "edited");
        assert_int_equal(apply(node, "/etc/file", "ours, newer", &error), -1);
        assert_string_equal(node_text(node, "/etc/file", buffer), "edited");
}

static void takes_over_what_already_says_it(void **state) {
        const TestNode *node = *state;
        Error error = { 0 };

        node_write(node, "/etc/file", "same");
        assert_int_equal(apply(node, "/etc/file", "same", &error), 0);
}

/* Killed between the list and the file: the next run finds either content its own. */
static void survives_being_killed(void **state) {
        const TestNode *node = *state;
        char buffer[4096];
        Error error = { 0 };

        assert_int_equal(apply(node, "/etc/file", "one", &error), 0);
        node_text(node, LIST, buffer);
        assert_int_equal(apply(node, "/etc/file", "two", &error), 0);
        node_write(node, "/etc/file", "one");
        strncat(buffer,
                "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  /etc/file\n",
                sizeof(buffer) - strlen(buffer) - 1);
        node_write(node, LIST, buffer);
        assert_int_equal(apply(node, "/etc/file", "three", &error), 0);
        assert_string_equal(node_text(node, "/etc/file", buffer), "three");
}

static void uninstall_keeps_what_was_changed(void **state) {
        const TestNode *node = *state;
        unsigned left = 0;
        char path[512];
        Error error = { 0 };
        cleanup(owned_freep) Owned *owned = open_list(node);

        want(owned, "/etc/a", "a");
        want(owned, "/etc/b", "b");
        assert_int_equal(owned_apply(owned, &error), 0);
        node_write(node, "/etc/b", "edited");
        owned = owned_free(owned);
        owned = open_list(node);
        assert_int_equal(owned_remove(owned, &left, &error), 0);
        assert_int_equal(left, 1);
        assert_int_equal(access(node_path(node, "/etc/a", path), F_OK), -1);
        assert_int_equal(access(node_path(node, "/etc/b", path), F_OK), 0);
        assert_int_equal(access(node_path(node, LIST, path), F_OK), -1);
}

/* An absolute symlink of the node means a place on the node. */
static void stays_inside_the_root(void **state) {
        const TestNode *node = *state;
        char path[512], buffer[4096];
        Error error = { 0 };

        node_write(node, "/run/x", "");
        assert_int_equal(symlink("/run", node_path(node, "/link", path)), 0);
        assert_int_equal(apply(node, "/link/deep/file", "x", &error), 0);
        assert_string_equal(node_text(node, "/run/deep/file", buffer), "x");
        assert_int_equal(access("/run/deep", F_OK), -1);
}

static void refuses_a_list_of_another(void **state) {
        const TestNode *node = *state;
        Owned *owned = NULL;
        Error error = { 0 };

        node_write(node, LIST, "hello\n");
        assert_int_equal(owned_open(node->root, LIST, &owned, &error), -1);
        assert_non_null(strstr(error.text, "is not a list that this installer wrote"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        writes_and_replaces_its_own, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        leaves_an_unchanged_file_alone, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        removes_what_is_no_longer_wanted, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        refuses_a_strangers_file, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        refuses_a_file_changed_since, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        takes_over_what_already_says_it, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(survives_being_killed, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        uninstall_keeps_what_was_changed, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(stays_inside_the_root, node_set_up, node_tear_down),
                cmocka_unit_test_setup_teardown(
                        refuses_a_list_of_another, node_set_up, node_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
