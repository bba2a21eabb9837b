/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The documents are built as trees and written by the JSON library, so that no path of an
 * installation can break out of its string. containerd's TOML is a fixed text: it holds no path of
 * ours but the one of the base specification.
 */
#include "hook/print.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define TIMEOUT                                                                                    \
        10 /* seconds; the hook takes milliseconds, and waits at most for its jail (hook.c) and a  \
              lock */

static const char *const stages[] = { "createRuntime", "poststop" };

static const char containerd_handler[] =
        "# /etc/containerd/conf.d/navigator.toml, or a part of /etc/containerd/config.toml "
        "(version 3)\n"
        "version = 3\n"
        "\n"
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.navigator]\n"
        "  runtime_type = 'io.containerd.runc.v2'\n"
        "  # the annotations that the hook reads; without this line it sees none, and does "
        "nothing\n"
        "  pod_annotations = ['navigator.sandbox/*']\n"
        "  # ctr oci spec | navigator-hook print-config containerd-spec > "
        "/etc/containerd/navigator.json\n"
        "  base_runtime_spec = '/etc/containerd/navigator.json'\n";

static json_t *make_hook(const char *program) {
        return json_pack("{s:s, s:[s], s:[s], s:i}", "path", program, "args", "navigator-hook",
                "env", "PATH=/usr/sbin:/usr/bin", "timeout", TIMEOUT);
}

/* oci-hooks(5). The condition keeps every other container free of us: the engine does not even
 * start the hook. */
static json_t *make_hooks_d(const char *program) {
        return json_pack("{s:s, s:o, s:{s:{s:s}}, s:[s,s]}", "version", "1.0.0", "hook",
                make_hook(program), "when", "annotations", "^navigator\\.sandbox/", ".*", "stages",
                stages[0], stages[1]);
}

static int write_json(json_t *root, FILE *output, Error *error) {
        int r = root != NULL ? json_dumpf(root, output, JSON_INDENT(2)) : -1;

        json_decref(root);
        if (r < 0 || fputc('\n', output) == EOF || fflush(output) == EOF)
                return error_set(error, ERROR_OS, 0, "cannot write the configuration");
        return 0;
}

/* Keeps the hooks that the specification already has. */
static bool add_hooks(json_t *root, const char *program) {
        json_t *hooks = json_object_get(root, "hooks");

        if (hooks == NULL && json_object_set_new(root, "hooks", json_object()) == 0)
                hooks = json_object_get(root, "hooks");
        for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
                json_t *list = json_object_get(hooks, stages[i]);

                if (list == NULL && json_object_set_new(hooks, stages[i], json_array()) == 0)
                        list = json_object_get(hooks, stages[i]);
                if (json_array_append_new(list, make_hook(program)) < 0)
                        return false;
        }
        return true;
}

static int print_spec(const char *program, FILE *input, FILE *output, Error *error) {
        json_error_t where;
        json_t *root = json_loadf(input, JSON_REJECT_DUPLICATES, &where);

        if (root == NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "the specification on standard input:%d:%d: %s", where.line, where.column,
                        where.text);
        if (!json_is_object(root) || !add_hooks(root, program)) {
                json_decref(root);
                return error_set(error, ERROR_INPUT, 0,
                        "standard input is not an OCI specification: pipe `ctr oci spec` into it");
        }
        return write_json(root, output, error);
}

int print_config(const char *engine, const char *program, FILE *input, FILE *output, Error *error) {
        if (strcmp(engine, "podman") == 0 || strcmp(engine, "crio") == 0)
                return write_json(make_hooks_d(program), output, error);
        if (strcmp(engine, "containerd-spec") == 0)
                return print_spec(program, input, output, error);
        if (strcmp(engine, "containerd") != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "no configuration for '%s'; there is one for podman, crio, containerd and "
                        "containerd-spec",
                        engine);
        if (fputs(containerd_handler, output) == EOF || fflush(output) == EOF)
                return error_set(error, ERROR_OS, 0, "cannot write the configuration");
        return 0;
}
