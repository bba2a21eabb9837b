/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Everything of the image is read before anything is mounted, everything that can be refused is
 * refused before the first mount, and the record is written last: a container that has a record is
 * prepared. What sessions obey is the record; the files in the container are for those who look.
 */
#include "hook/workload.h"

#include "base/cleanup.h"
#include "hook/authorities.h"
#include "hook/cgroup.h"
#include "hook/deliver.h"
#include "hook/hook.h"
#include "hook/inject.h"
#include "hook/plan.h"
#include "hook/record.h"
#include "hook/registry.h"
#include "hook/rootfs.h"
#include "hook/source.h"
#include "policy/flat.h"
#include "sidecar/wire/users.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_SIZE_MAX (POLICY_FLAT_SIZE_MAX + (size_t)64 * 1024)

typedef struct Workload {
        const Hook *hook;
        Rootfs rootfs;
        PolicySelection selection;
        Source policy, ceiling;
        Authorities authorities;
        char *passwd, *groups; /* of the image; NULL where it has none */
        size_t passwd_size, groups_size;
        Plan plan;
        void *plan_data;             /* owned: plan points into it */
        uint32_t home_uid, home_gid; /* the session's user, as the host numbers it */
} Workload;

static Workload workload_free(Workload workload) {
        (void)rootfs_close(workload.rootfs);
        (void)source_free(workload.policy);
        (void)source_free(workload.ceiling);
        (void)authorities_free(workload.authorities);
        free(workload.passwd);
        free(workload.groups);
        free(workload.plan_data);
        return (Workload){ .rootfs = ROOTFS_NONE };
}
DEFINE_CLEANUP(Workload, workload_free);

static int run_plan(Workload *workload, Error *error) {
        const Node *node = &workload->hook->node;
        const Jail jail = hook_jail("policy parser", PLAN_SIZE_MAX);
        const PlanInput input = {
                .policy = { workload->policy.file, workload->policy.text, workload->policy.size },
                .ceiling = { workload->ceiling.file, workload->ceiling.text,
                        workload->ceiling.size },
                .passwd = { workload->passwd, workload->passwd_size },
                .groups = { workload->groups, workload->groups_size },
                .new_uid = node->sandbox_uid,
                .new_gid = node->sandbox_gid,
        };
        size_t size;

        if (jail_run(&jail, plan_make, &input, &workload->plan_data, &size, error) < 0)
                return -1;
        return plan_unpack(workload->plan_data, size, &workload->plan, error);
}

/* A ConfigMap that was edited to nonsense does not stop the containers of a pod that already ran
 * with a good one. */
static int plan_again(Workload *workload, const Error *reason, Error *error) {
        Error note;
        char *text;
        size_t size;

        if (workload->selection.source != SOURCE_CONFIGMAP || reason->kind == ERROR_OS ||
                registry_kept_policy(
                        workload->hook->pod, workload->hook->name, &text, &size, NULL) != 0) {
                *error = *reason;
                return -1;
        }
        note = *reason;
        (void)error_context(
                &note, "container '%s' keeps its last good policy", workload->hook->name);
        hook_warn(workload->hook, &note);
        free(workload->policy.text);
        workload->policy.text = text;
        workload->policy.size = size;
        return run_plan(workload, error);
}

/* Supplementary groups that the container's user namespace does not have are left out, as the
 * runtimes do. */
static int map_identity(Workload *workload, Error *error) {
        RecordIdentity *identity = &workload->plan.identity.record;
        uint32_t kept = 0, outside;
        IdMap map = { 0 };

        if (process_id_map(&workload->hook->process, "uid_map", &map, error) < 0)
                return -1;
        if (!id_map_outside(&map, identity->uid, &workload->home_uid))
                return error_set(error, ERROR_INPUT, 0,
                        "uid %u of '%s' is not in the container's user namespace", identity->uid,
                        identity->name);
        if (process_id_map(&workload->hook->process, "gid_map", &map, error) < 0)
                return -1;
        if (!id_map_outside(&map, identity->gid, &workload->home_gid))
                return error_set(error, ERROR_INPUT, 0,
                        "gid %u of '%s' is not in the container's user namespace", identity->gid,
                        identity->name);
        for (uint32_t i = 0; i < identity->group_count; i++)
                if (id_map_outside(&map, identity->groups[i], &outside))
                        identity->groups[kept++] = identity->groups[i];
        identity->group_count = kept;
        return 0;
}

static int read_image(Workload *workload, Error *error) {
        const Rootfs *rootfs = &workload->rootfs;

        if (source_read_image(&workload->selection, &workload->hook->node, rootfs,
                    &workload->policy, error) < 0)
                return -1;
        if (rootfs_read(rootfs, "/etc/passwd", ROOTFS_ANYWHERE, PASSWD_SIZE_MAX, &workload->passwd,
                    &workload->passwd_size, error) < 0)
                return -1;
        return rootfs_read(rootfs, "/etc/group", ROOTFS_ANYWHERE, PASSWD_SIZE_MAX,
                       &workload->groups, &workload->groups_size, error) < 0
                       ? -1
                       : 0;
}

static int make_plan(Workload *workload, Error *error) {
        Error reason = { 0 };

        if (run_plan(workload, &reason) < 0 && plan_again(workload, &reason, error) < 0)
                return -1;
        return map_identity(workload, error);
}

/* In the container's mount namespace. */
static int inject_all(Workload *workload, Error *error) {
        const Bundle *bundle = &workload->hook->bundle;
        Injection injection = { .rootfs = &workload->rootfs };

        if (read_image(workload, error) < 0 || make_plan(workload, error) < 0 ||
                authorities_extend(&workload->authorities, &workload->rootfs,
                        bundle_variable(bundle, "SSL_CERT_FILE"), error) < 0)
                return -1;
        injection.policy = (PasswdText){ workload->policy.text, workload->policy.size };
        injection.passwd = (PasswdText){ workload->passwd, workload->passwd_size };
        injection.groups = (PasswdText){ workload->groups, workload->groups_size };
        injection.identity = &workload->plan.identity;
        injection.authorities = &workload->authorities;
        injection.path = bundle_variable(bundle, "PATH");
        injection.label = bundle->mount_label;
        injection.home_uid = workload->home_uid;
        injection.home_gid = workload->home_gid;
        injection.home_size = workload->hook->node.home_size;
        return inject(&injection, error);
}

/* Of sessions: the container's own variables, and behind them, so that they win, where to find whom
 * to trust. */
static int session_environment(
        const Workload *workload, const char ***ret_environment, Error *error) {
        const char *const *own = workload->hook->bundle.environment;
        const char *const *more = authority_variables;
        size_t own_count = 0, more_count = 0;
        const char **environment;

        while (own[own_count] != NULL)
                own_count++;
        while (workload->authorities.own != NULL && more[more_count] != NULL)
                more_count++;
        if (own_count + more_count > RECORD_ENVIRONMENT_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "the container has %zu environment variables; with the certificate "
                        "authorities' a session would have more than %u",
                        own_count, RECORD_ENVIRONMENT_MAX);
        environment = calloc(own_count + more_count + 1, sizeof(*environment));
        if (environment == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot build the environment");
        memcpy(environment, own, own_count * sizeof(*own));
        memcpy(environment + own_count, more, more_count * sizeof(*more));
        *ret_environment = environment;
        return 0;
}

static int register_workload(const Workload *workload, Error *error) {
        const Hook *hook = workload->hook;
        cleanup_free const char **environment = NULL;
        Cgroups cgroups;
        Record record;
        int r;

        if (session_environment(workload, &environment, error) < 0 ||
                cgroups_open(hook->proc, &hook->process, &cgroups, error) < 0)
                return -1;
        r = record_fill(hook, &workload->policy, &workload->plan, environment,
                workload->rootfs.inode, &cgroups, &record, error);
        if (r == 0)
                r = registry_add_record(hook->pod, &record, error);
        (void)cgroups_close(&cgroups);
        if (r == 0 && workload->selection.source == SOURCE_CONFIGMAP)
                r = registry_keep_policy(
                        hook->pod, hook->name, workload->policy.text, workload->policy.size, error);
        return r;
}

/* Nobody to hand to is no failure: the sidecar's own hook will. Neither is a sidecar that does not
 * listen properly: the container is as safe. */
static int hand_over(const Hook *hook) {
        char file[NAME_MAX];
        Error error = { 0 };

        (void)snprintf(file, sizeof(file), "%s" REGISTRY_RECORD, hook->state.id);
        if (deliver_record(hook->proc, hook->pod, file, &error) < 0) {
                (void)error_context(
                        &error, "container '%s' was not handed to the sidecar", hook->name);
                hook_warn(hook, &error);
        }
        return 0;
}

static int refuse_shared_root(const Bundle *bundle, Error *error) {
        if (strcmp(bundle->propagation, "shared") != 0 &&
                strcmp(bundle->propagation, "rshared") != 0)
                return 0;
        return error_set(error, ERROR_INPUT, 0,
                "config.json: 'linux.rootfsPropagation' is '%s': what is mounted in the container "
                "would appear on the "
                "node; a sandboxed container cannot have that",
                bundle->propagation);
}

/* It could signal and limit the launcher, the roles and the keepers of sessions, without any
 * capability. */
static int refuse_sidecar_user(const Bundle *bundle, Error *error) {
        if (!user_is_of_sidecar(bundle->uid))
                return 0;
        return error_set(error, ERROR_DENIED, 0,
                "config.json: 'process.user.uid' is %u, and %u to %u are the sidecar's own: run "
                "the workload as another user (runAsUser, or USER of the image)",
                bundle->uid, LAUNCHER_UID, EGRESS_UID);
}

int workload_prepare(const Hook *hook, Error *error) {
        cleanup(workload_freep) Workload workload = { .hook = hook, .rootfs = ROOTFS_NONE };
        int r = registry_has(hook->pod, hook->state.id, REGISTRY_RECORD, &hook->process, error);

        if (r <= 0)
                return r < 0 ? r : hand_over(hook);
        if (refuse_shared_root(&hook->bundle, error) < 0 ||
                refuse_sidecar_user(&hook->bundle, error) < 0 ||
                select_policy(hook->state.policy, &workload.selection, error) < 0 ||
                source_read_node(hook->proc, &workload.selection, &hook->node, &hook->bundle,
                        &workload.policy, error) < 0 ||
                source_read_ceiling(&hook->node, &workload.ceiling, error) < 0 ||
                authorities_read(&hook->node, &workload.authorities, error) < 0 ||
                rootfs_enter(
                        hook->proc, &hook->process, hook->bundle.root, &workload.rootfs, error) < 0)
                return -1;
        r = inject_all(&workload, error);
        if (rootfs_leave(&workload.rootfs, r == 0 ? error : NULL) < 0 || r < 0)
                return -1;
        if (register_workload(&workload, error) < 0)
                return -1;
        return hand_over(hook);
}
