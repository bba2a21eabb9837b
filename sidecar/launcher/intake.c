/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/intake.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sha256.h"
#include "policy/policy.h"
#include "sidecar/launcher/serve.h"
#include "sidecar/launcher/serve_egress.h"

#include <string.h>

/* What the policy says and is not done here: its author may have read past the load's warning. */
static void audit_findings(AuditEvent *event, const Policy *policy) {
        uint64_t unenforced = 0, denied = 0;

        for (uint32_t i = 0; i < policy->finding_count; i++) {
                unenforced += policy->findings[i].kind == POLICY_FINDING_UNENFORCED;
                denied += policy->findings[i].kind == POLICY_FINDING_DENIED;
        }
        audit_number(event, "keys_not_enforced", unenforced);
        audit_number(event, "endpoints_not_inspectable", denied);
}

static void audit_target(Launcher *launcher, const char *name, const Target *target) {
        const Record *record = &target->record;
        char hash[SHA256_TEXT_SIZE];
        AuditEvent event;

        sha256_text(record->policy_hash, hash);
        audit_begin(&event, "launcher", name);
        audit_text(&event, "pod_namespace", record->pod_namespace);
        audit_text(&event, "pod", record->pod_name);
        audit_text(&event, "container", record->container_name);
        audit_text(&event, "container_id", record->container_id);
        audit_text(&event, "policy_source", record->policy_source);
        audit_text(&event, "policy_sha256", hash);
        audit_number(&event, "uid", record->identity.uid);
        audit_number(&event, "paths", target->landlock.count);
        audit_text(&event, "landlock", target->landlock.hard ? "hard_requirement" : "best_effort");
        audit_number(&event, "landlock_abi", (uint64_t)target->landlock.abi);
        if (target->policy != NULL)
                audit_findings(&event, target->policy);
        if (target->state == TARGET_UNUSABLE)
                audit_text(&event, "reason", target->unusable.text);
        if (audit_write(&launcher->audit, &event) < 0)
                audit_lose(&launcher->audit);
}

static void report_unusable(Launcher *launcher, const Target *target) {
        audit_target(launcher, "container_refused", target);
        (void)log_error(&target->unusable, "container '%s' cannot be entered",
                target->record.container_name);
}

static bool is_same_process(const Target *one, const Target *other) {
        return one->pid == other->pid && one->record.start_time == other->record.start_time &&
               strcmp(one->record.container_id, other->record.container_id) == 0;
}

static size_t count_targets(const Launcher *launcher) {
        size_t count = 0;

        for (const Target *target = launcher->targets.first; target != NULL; target = target->next)
                count++;
        return count;
}

static int take_target(Launcher *launcher, int *fds, size_t fd_count, Error *error) {
        cleanup(target_freep) Target *target = NULL;
        Target *earlier;

        if (count_targets(launcher) >= INTAKE_TARGETS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "more than %u containers were handed over",
                        INTAKE_TARGETS_MAX);
        if (target_new(launcher->host.proc_fd, launcher->landlock_abi, fds, fd_count, &target,
                    error) < 0)
                return -1;
        intake_refresh(launcher); /* so that one that has just ended is out of the way */
        earlier = targets_find_living(&launcher->targets, target->record.container_name);
        if (earlier != NULL && is_same_process(earlier, target))
                return 0; /* the hook and its deliverer may both have come through */
        if (earlier != NULL)
                return error_set(error, ERROR_PEER, 0,
                        "container '%s' was handed over while another of that name runs",
                        target->record.container_name);
        if (target->state == TARGET_UNUSABLE)
                report_unusable(launcher, target);
        else
                audit_target(launcher, "container_taken", target);
        targets_append(&launcher->targets, take_ptr(target));
        serve_tell_targets(launcher);
        serve_tell_policy(launcher);
        return 0;
}

void intake_receive(Launcher *launcher, size_t connection) {
        int fds[MESSAGE_FDS_MAX];
        size_t fd_count = 0;
        Error error;
        int r = register_receive(&launcher->registration, connection, fds, &fd_count, &error);

        if (r == 0)
                return;
        if (r == 1) {
                r = take_target(launcher, fds, fd_count, &error);
                message_close_fds(fds, fd_count);
        }
        if (r < 0)
                (void)log_error(&error, "taking a container from the hook");
}

static bool is_in_use(const Launcher *launcher, const Target *target) {
        for (const Session *session = launcher->sessions; session != NULL; session = session->next)
                if (session->target == target)
                        return true;
        return false;
}

static void end_sessions(Launcher *launcher, const Target *target) {
        for (Session *session = launcher->sessions; session != NULL; session = session->next)
                if (session->target == target)
                        session_stop(session, "container ended");
}

void intake_refresh(Launcher *launcher) {
        bool changed = false;
        Target *next;

        for (Target *target = launcher->targets.first; target != NULL; target = next) {
                next = target->next;
                if (target_refresh(target, launcher->host.proc_fd)) {
                        changed = true;
                        if (target->state == TARGET_GONE) {
                                audit_target(launcher, "container_ended", target);
                                end_sessions(launcher, target);
                        } else if (target->state == TARGET_UNUSABLE)
                                report_unusable(launcher, target);
                }
                if (target->state == TARGET_GONE && !is_in_use(launcher, target))
                        targets_remove(&launcher->targets, target);
        }
        if (changed) {
                serve_tell_targets(launcher);
                serve_tell_policy(launcher);
        }
}
