/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The steps, in the order of what they need to know: the state decides whether the container is
 * ours at all, and nothing else is read before it has. State and config.json are parsed in jails;
 * the process is held before anything that is said about it is believed.
 */
#include "hook/hook.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "hook/journal.h"
#include "hook/registry.h"
#include "hook/sidecar.h"
#include "hook/tree.h"
#include "hook/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* a JSON text of the largest size makes a tree of ten times that */
#define JAIL_MEMORY ((size_t)512 * 1024 * 1024)
#define JAIL_DEADLINE 2000U
#define CONFIG "config.json"
#define STORAGE_SUFFIX "/userdata"

Jail hook_jail(const char *name, size_t result_max) {
        return (Jail){
                .name = name,
                .identity = JAIL_DROP_IDENTITY,
                .memory_max = JAIL_MEMORY,
                .result_max = result_max,
                .deadline_ms = JAIL_DEADLINE,
        };
}

/* Engines write the names of annotations plainly; nobody who writes an annotation chooses how its
 * name is encoded. */
static bool mentions_us(const char *text, size_t size) {
        return memmem(text, size, ANNOTATION_DOMAIN, strlen(ANNOTATION_DOMAIN)) != NULL;
}

/* HOOK_NOT_OURS: no annotation of ours. A node on which no jail can be built (a rootless engine's
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
                        return HOOK_NOT_OURS;
                *error = reason;
                return -1;
        }
        if (state_unpack(hook->state_data, size, &hook->state, error) < 0)
                return -1;
        return hook->state.annotated && !hook->state.pause ? 0 : HOOK_NOT_OURS;
}

/* Of one file of the bundle. 1: not there. */
static int read_bundle_file(const char *directory, const char *file, size_t limit, char **ret_text,
        size_t *ret_size, Error *error) {
        char path[PATH_MAX];
        Error reason = { 0 };
        int r = snprintf(path, sizeof(path), "%s/%s", directory, file);

        if (r < 0 || (size_t)r >= sizeof(path))
                return error_set(error, ERROR_LIMIT, 0, "the path of the bundle is too long");
        if (file_read(AT_FDCWD, path, limit, ret_text, ret_size, &reason) == 0)
                return 0;
        if (reason.code == ENOENT)
                return 1;
        *error = reason;
        return -1;
}

/* podman keeps a bundle at STORAGE/overlay-containers/ID/userdata, and the list of containers two
 * directories above. */
static int read_storage(const Hook *hook, BundleText *input, char **ret_text, Error *error) {
        static const char *const lists[] = { "../../containers.json",
                "../../volatile-containers.json" };
        size_t length = strlen(hook->state.bundle), suffix = strlen(STORAGE_SUFFIX);

        if (hook->state.container_name[0] != '\0' || length <= suffix ||
                strcmp(hook->state.bundle + length - suffix, STORAGE_SUFFIX) != 0)
                return 0;
        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
                int r = read_bundle_file(hook->state.bundle, lists[i], BUNDLE_STORAGE_MAX, ret_text,
                        &input->storage_size, error);

                if (r < 0)
                        return -1;
                if (r > 0)
                        continue;
                input->storage = *ret_text;
                if (memmem(input->storage, input->storage_size, hook->state.id,
                            strlen(hook->state.id)) != NULL)
                        return 0;
                input->storage = NULL;
                free(take_ptr(*ret_text));
        }
        return 0;
}

static int read_bundle(Hook *hook, Error *error) {
        const Jail jail = hook_jail("config.json parser", 2 * BUNDLE_CONFIG_MAX);
        BundleText input = { .id = hook->state.id, .bundle = hook->state.bundle };
        cleanup_free char *config = NULL, *storage = NULL;
        size_t size;
        int r;

        r = read_bundle_file(
                hook->state.bundle, CONFIG, BUNDLE_CONFIG_MAX, &config, &input.config_size, error);
        if (r > 0)
                return error_set(error, ERROR_OS, ENOENT, "the bundle '%s' has no " CONFIG,
                        hook->state.bundle);
        if (r < 0 || read_storage(hook, &input, &storage, error) < 0)
                return -1;
        input.config = config;
        if (jail_run(&jail, bundle_parse, &input, &hook->bundle_data, &size, error) < 0)
                return -1;
        return bundle_unpack(hook->bundle_data, size, &hook->bundle, error);
}

/* Without an engine that says, a pod is the containers that share a network namespace. */
static int find_pod(Hook *hook, Error *error) {
        RecordInode network, ours;

        if (hook->state.pod[0] != '\0') {
                (void)snprintf(hook->pod_id, sizeof(hook->pod_id), "%s", hook->state.pod);
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

int hook_run(Hook *hook, Error *error) {
        int r = read_state(hook, error);

        if (r != 0)
                return r;
        if (open_proc(hook, error) < 0 || node_read(hook->node_path, &hook->node, error) < 0)
                return -1;
        r = hook->state.stopped ? forget(hook, error) : prepare(hook, error);
        if (r < 0)
                return error_context(error, "container '%s'",
                        hook->name[0] != '\0' ? hook->name : hook->state.id);
        return 0;
}

/* What went wrong may have gone wrong before the node's configuration was read: then it is read
 * now, for the place of the journal alone. */
static void keep(const Hook *hook, const char *level, const Error *error) {
        cleanup(node_freep) Node node = { 0 };
        const char *directory = hook->node.run_directory;

        if (directory == NULL)
                directory = node_read(hook->node_path, &node, NULL) == 0 ? node.run_directory
                                                                         : NODE_RUN_DIRECTORY;
        journal_add(directory, level, error->text);
}

void hook_warn(const Hook *hook, const Error *error) {
        log_line(LOG_LEVEL_WARNING, "%s", error->text);
        keep(hook, "warning", error);
}

void hook_report(const Hook *hook, const Error *error) {
        log_line(LOG_LEVEL_ERROR, "%s", error->text);
        keep(hook, "error", error);
}

Hook hook_free(Hook hook) {
        (void)fd_close(hook.proc);
        (void)fd_close(hook.pods);
        (void)fd_close(hook.pod);
        (void)process_close(hook.process);
        (void)node_free(hook.node);
        bundle_done(&hook.bundle);
        free(hook.state_data);
        free(hook.bundle_data);
        return HOOK_NONE;
}
