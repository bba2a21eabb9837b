/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The steps, in the order of what they need to know: the state decides whether the container is
 * ours at all, and nothing else is read before it has. State and config.json are parsed in jails;
 * the process is held before anything that is said about it is believed.
 */
#include "hook/run.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "hook/hook.h"
#include "hook/registry.h"
#include "hook/sidecar.h"
#include "hook/tree.h"
#include "hook/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define CONFIG "config.json"

/* Engines write the names of annotations plainly; nobody who writes an annotation chooses how its
 * name is encoded. */
static bool mentions_us(const char *text, size_t size) {
        return memmem(text, size, ANNOTATION_DOMAIN, strlen(ANNOTATION_DOMAIN)) != NULL;
}

/* RUN_NOT_OURS: no annotation of ours. A node on which no jail can be built (a rootless engine's
 * user namespace, say) must not fail the containers of others for that. */
static int read_state(Hook *hook, Error *error) {
        const Jail jail = hook_jail("state parser", STATE_SIZE_MAX);
        cleanup_free char *text = NULL;
        Error reason = { 0 };
        StateText input;
        size_t size;

        if (file_read_fd(hook->input, "state", STATE_SIZE_MAX, &text, &size, error) < 0)
                return -1;
        input = (StateText){ .text = text, .size = size };
        tree_seed();
        if (jail_run(&jail, state_parse, &input, &hook->state_data, &size, &reason) < 0) {
                if (reason.kind == ERROR_OS && !mentions_us(input.text, input.size))
                        return RUN_NOT_OURS;
                *error = reason;
                return -1;
        }
        if (state_unpack(hook->state_data, size, &hook->state, error) < 0)
                return -1;
        return hook->state.annotated ? 0 : RUN_NOT_OURS;
}

/* Who is it that creates the container, and what does it say? */
static int hear_engine(Hook *hook, Error *error) {
        Engine engine = hook->node.engine;

        if (storage_read(hook->state.id, hook->state.bundle, &hook->storage, error) < 0)
                return -1;
        if (engine == ENGINE_UNKNOWN)
                engine = engine_of_bundle(
                        hook->state.id, hook->state.bundle, hook->storage.text != NULL);
        return state_hear(&hook->state, engine, error);
}

static int read_bundle(Hook *hook, Error *error) {
        const Jail jail = hook_jail("config.json parser", 2 * BUNDLE_CONFIG_MAX);
        BundleText input = {
                .id = hook->state.id,
                .bundle = hook->state.bundle,
                .storage = hook->storage.text,
                .storage_size = hook->storage.size,
        };
        cleanup_free char *config = NULL;
        size_t size;
        int r;

        r = bundle_read_file(
                hook->state.bundle, CONFIG, BUNDLE_CONFIG_MAX, &config, &input.config_size, error);
        if (r > 0)
                return error_set(error, ERROR_OS, ENOENT, "the bundle '%s' has no " CONFIG,
                        hook->state.bundle);
        if (r < 0)
                return -1;
        input.config = config;
        if (jail_run(&jail, bundle_parse, &input, &hook->bundle_data, &size, error) < 0)
                return -1;
        return bundle_unpack(hook->bundle_data, size, &hook->bundle, error);
}

/* Without an engine that says, a pod is the containers that share a network namespace. */
static int find_pod(Hook *hook, Error *error) {
        RecordInode network, ours;

        if (hook->state.engine.pod[0] != '\0') {
                (void)snprintf(hook->pod_id, sizeof(hook->pod_id), "%s", hook->state.engine.pod);
                return 0;
        }
        if (process_inode(&hook->process, "ns/net", &network, error) < 0)
                return -1;
        if (inode_look(hook->proc, "self/ns/net", &ours) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot look at the node's network namespace");
        if (inode_equal(network, ours))
                return error_set(error, ERROR_INPUT, 0,
                        "the container has the node's network, and no engine says which pod it "
                        "belongs to");
        (void)snprintf(
                hook->pod_id, sizeof(hook->pod_id), "net-%llu", (unsigned long long)network.inode);
        return 0;
}

static int prepare(Hook *hook, Error *error) {
        if (hear_engine(hook, error) < 0)
                return -1;
        if (state_is_pause(&hook->state))
                return RUN_NOT_OURS;
        if (read_bundle(hook, error) < 0 ||
                select_role(&hook->node, &hook->state, &hook->bundle, &hook->role, error) < 0 ||
                process_open(hook->proc, hook->state.pid, &hook->process, error) < 0 ||
                find_pod(hook, error) < 0 ||
                registry_open(hook->node.run_directory, &hook->pods, error) < 0 ||
                registry_open_pod(hook->pods, hook->pod_id, &hook->pod, error) < 0)
                return -1;
        select_name(&hook->state, &hook->bundle, hook->name);
        registry_sweep(hook->proc, hook->pod);
        return hook->role == ROLE_SIDECAR ? sidecar_prepare(hook, error)
                                          : workload_prepare(hook, error);
}

static int open_proc(Hook *hook, Error *error) {
        hook->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (hook->proc < 0)
                return error_set(error, ERROR_OS, errno, "cannot open /proc");
        return 0;
}

static int forget(Hook *hook, Error *error) {
        if (registry_open(hook->node.run_directory, &hook->pods, error) < 0)
                return -1;
        registry_remove(hook->proc, hook->pods, hook->state.id);
        return 0;
}

int run_hook(Hook *hook, Error *error) {
        int r = read_state(hook, error);

        if (r != 0)
                return r;
        if (open_proc(hook, error) < 0 || node_read(hook->node_path, &hook->node, error) < 0)
                return -1;
        r = hook->state.stopped ? forget(hook, error) : prepare(hook, error);
        if (r < 0)
                return error_context(error, "container '%s'",
                        hook->name[0] != '\0' ? hook->name : hook->state.id);
        return r;
}
