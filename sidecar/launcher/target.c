/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is believed of a target, and why: the record comes from the host's root over a socket that
 * only a process outside this pid namespace can use (register.c). The pidfd beside it is the
 * process: no look-up by pid, no decoy, no recycled number. What the record says about that process
 * (start time, namespaces) is compared with the process itself, because a pidfd and a record that
 * do not belong together are a broken hook.
 *
 * A session may enter once init has become the workload: before that it is the container runtime,
 * which still stands outside the container's root.
 */
#include "sidecar/launcher/target.h"

#include "base/fd.h"
#include "base/file.h"
#include "policy/effective.h"
#include "policy/flat.h"
#include "sidecar/launcher/identity.h"
#include "sidecar/launcher/label.h"
#include "sidecar/launcher/namespaces.h"
#include "sidecar/launcher/process.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static bool has_ended(const Target *target) {
        struct pollfd ended = { .fd = target->pidfd, .events = POLLIN };

        return poll(&ended, 1, 0) != 0;
}

static int read_record(Target *target, int fd, Error *error) {
        cleanup_free char *bytes = NULL;
        size_t size;

        if (file_read_fd(fd, "the container's record", RECORD_SIZE_MAX, &bytes, &size, error) < 0 ||
                record_unpack(bytes, size, &target->record, error) < 0)
                return -1;
        target->bytes = (uint8_t *)take_ptr(bytes);
        return 0;
}

static void take_descriptors(Target *target, int *fds, size_t fd_count) {
        target->pidfd = take_fd(fds[RECORD_FD_PIDFD]);
        for (size_t i = RECORD_FD_CGROUPS; i < fd_count; i++)
                target->cgroups[i - RECORD_FD_CGROUPS] = take_fd(fds[i]);
}

static int plan_landlock(Target *target, int landlock_abi, Error *error) {
        const RecordIdentity *identity = &target->record.identity;
        LandlockPlan *plan = &target->landlock;
        uint32_t count = 0;

        if (policy_unpack(target->record.policy, target->record.policy_size, &target->policy,
                    error) < 0 ||
                policy_effective_paths(target->policy, NULL, &target->paths, &count, error) < 0)
                return -1;
        plan->hard = target->policy->landlock == POLICY_LANDLOCK_HARD;
        plan->abi = landlock_abi >= LANDLOCK_ABI_FLOOR ? landlock_abi : 0;
        plan->uid = identity->uid;
        plan->gid = identity->gid;
        plan->rules = calloc(count, sizeof(*plan->rules));
        if (plan->rules == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot plan the paths of the policy");
        for (uint32_t i = 0; i < count; i++)
                plan->rules[i] = (LandlockRule){
                        .path = target->paths[i].path,
                        .writable = target->paths[i].access == POLICY_READ_WRITE,
                        .authored = target->paths[i].must_exist,
                };
        plan->count = count;
        if (plan->abi != 0 || !plan->hard)
                return 0;
        if (landlock_abi < 0)
                return error_set(error, ERROR_OS, 0,
                        "Landlock unavailable in hard_requirement mode: %s (%s)",
                        landlock_absence(-landlock_abi), strerrorname_np(-landlock_abi));
        return error_set(error, ERROR_OS, 0,
                "Landlock unavailable in hard_requirement mode: the kernel has ABI %d, at least %d "
                "is needed",
                landlock_abi, LANDLOCK_ABI_FLOOR);
}

/* What must agree between the record and the process at once. */
static int examine(Target *target, int proc_fd, Error *error) {
        const Record *record = &target->record;
        ProcessStatus status = { 0 };
        int r;

        r = process_of_pidfd(proc_fd, target->pidfd, &target->pid);
        if (r == 0)
                r = process_status(proc_fd, target->pid, &status);
        if (r == -ESRCH || r == -ENOENT)
                return error_set(error, ERROR_DENIED, 0,
                        "its processes cannot be seen from the sidecar: the pod needs "
                        "shareProcessNamespace: true");
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot look at its first process");
        if (status.start_time != record->start_time)
                return error_set(error, ERROR_DENIED, 0,
                        "the record speaks of another process than the one handed over");
        return identity_check(&record->identity, error);
}

/* And what once init is the workload. Until then it is the runtime, which in a pod with a user
 * namespace was executed outside of that one: our capabilities do not reach it, and its namespaces
 * cannot be read. */
static int examine_namespaces(Target *target, int proc_fd, Error *error) {
        RecordInode mount_namespace;
        int r = process_inode(proc_fd, target->pid, "ns/mnt", &mount_namespace);

        if (r < 0)
                return error_set(
                        error, ERROR_OS, -r, "cannot look at the namespaces of its first process");
        if (!process_same_inode(mount_namespace, target->record.mount_namespace))
                return error_set(error, ERROR_DENIED, 0,
                        "the record speaks of another process than the one handed over");
        return namespaces_compare(proc_fd, target->pid, &target->namespace_flags, error);
}

int target_new(int proc_fd, int landlock_abi, int *fds, size_t fd_count, Target **ret_target,
        Error *error) {
        cleanup(target_freep) Target *target = NULL;

        if (fd_count < RECORD_FD_CGROUPS || fd_count > RECORD_FD_CGROUPS + RECORD_CGROUPS_MAX)
                return error_set(error, ERROR_PEER, 0,
                        "a container was handed over with %zu descriptors", fd_count);
        target = calloc(1, sizeof(*target));
        if (target == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot take a container");
        target->pidfd = -1;
        memset(target->cgroups, -1, sizeof(target->cgroups));
        if (read_record(target, fds[RECORD_FD_FILE], error) < 0)
                return -1;
        if (target->record.cgroup_count != fd_count - RECORD_FD_CGROUPS)
                return error_set(error, ERROR_PEER, 0,
                        "container '%s' was handed over with %zu cgroups of %u",
                        target->record.container_name, fd_count - RECORD_FD_CGROUPS,
                        target->record.cgroup_count);
        take_descriptors(target, fds, fd_count);
        if (examine(target, proc_fd, &target->unusable) < 0 ||
                plan_landlock(target, landlock_abi, &target->unusable) < 0)
                target->state = TARGET_UNUSABLE;
        target->label = label_difference(proc_fd, &target->record);
        (void)target_refresh(target, proc_fd);

        *ret_target = take_ptr(target);
        return 0;
}

Target *target_free(Target *target) {
        if (target == NULL)
                return NULL;
        for (size_t i = 0; i < RECORD_CGROUPS_MAX; i++)
                (void)fd_close(target->cgroups[i]);
        (void)fd_close(target->pidfd);
        free(target->landlock.rules);
        free(target->paths);
        (void)policy_unref(target->policy);
        free(target->record.environment);
        free(target->bytes);
        free(target);
        return NULL;
}

bool target_refresh(Target *target, int proc_fd) {
        RecordInode executable;

        if (target->state != TARGET_GONE && has_ended(target)) {
                target->state = TARGET_GONE;
                return true;
        }
        if (target->state != TARGET_WAITING ||
                process_inode(proc_fd, target->pid, "exe", &executable) < 0 ||
                process_same_inode(executable, target->record.runtime))
                return false;
        target->state = examine_namespaces(target, proc_fd, &target->unusable) < 0
                                ? TARGET_UNUSABLE
                                : TARGET_ENTERABLE;
        return true;
}

void targets_append(Targets *targets, Target *target) {
        Target **end = &targets->first;

        while (*end != NULL)
                end = &(*end)->next;
        target->next = NULL;
        *end = target;
}

void targets_remove(Targets *targets, Target *target) {
        Target **at = &targets->first;

        while (*at != NULL && *at != target)
                at = &(*at)->next;
        if (*at != NULL)
                *at = target->next;
        (void)target_free(target);
}

Target *targets_find_living(const Targets *targets, const char *name) {
        for (Target *target = targets->first; target != NULL; target = target->next)
                if (target->state != TARGET_GONE &&
                        strcmp(target->record.container_name, name) == 0)
                        return target;
        return NULL;
}

static Target *find_default(const Targets *targets) {
        for (Target *target = targets->first; target != NULL; target = target->next)
                if (target->state != TARGET_GONE)
                        return target->record.target[0] == '\0'
                                       ? target
                                       : targets_find_living(targets, target->record.target);
        return NULL;
}

int targets_select(const Targets *targets, const char *name, Target **ret_target, Error *error) {
        Target *target =
                name[0] != '\0' ? targets_find_living(targets, name) : find_default(targets);

        if (target == NULL && name[0] != '\0')
                return error_set(error, ERROR_INPUT, 0,
                        "no sandboxed container '%.64s' runs in this pod", name);
        if (target == NULL)
                return error_set(error, ERROR_OS, 0, "no sandboxed container runs in this pod yet");
        *ret_target = target;
        return 0;
}

const char **targets_names(const Targets *targets) {
        const Target *preferred = find_default(targets);
        const char **names;
        size_t count = 0;

        for (const Target *target = targets->first; target != NULL; target = target->next)
                count++;
        names = calloc(count + 1, sizeof(*names));
        if (names == NULL)
                return NULL;
        count = 0;
        if (preferred != NULL && preferred->state == TARGET_ENTERABLE)
                names[count++] = preferred->record.container_name;
        for (const Target *target = targets->first; target != NULL; target = target->next)
                if (target != preferred && target->state == TARGET_ENTERABLE)
                        names[count++] = target->record.container_name;
        return names;
}
