/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The launcher's half of a session: it never waits. The child's reports, the keeper's words and the
 * deadline each move the state on; what a move sends is sent here, so an answer to the role exists
 * in exactly one place for each way a session can go.
 */
#include "sidecar/launcher/session.h"

#include "base/fd.h"
#include "base/sha256.h"
#include "sidecar/launcher/clock.h"
#include "sidecar/launcher/enter.h"
#include "sidecar/launcher/status.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PREPARE_LIMIT_MS 10000 /* a file system that hangs must not hold a session for ever */
/* After a keeper was asked, or has said that its program ended: what it needs, and a busy node's
 * delay. One that takes longer has been stopped. */
#define END_LIMIT_MS (KEEPER_GRACE_MS + 4000)
#define ARGUMENTS_IN_AUDIT 768U /* bytes of a line */

static const bool permitted[SESSION_ENDED + 1][SESSION_ENDED + 1] = {
        [SESSION_PREPARING] = { [SESSION_PREPARED] = true, [SESSION_REFUSED] = true },
        [SESSION_PREPARED] = { [SESSION_EXECUTING] = true, [SESSION_REFUSED] = true },
        [SESSION_EXECUTING] = { [SESSION_RUNNING] = true, [SESSION_REFUSED] = true },
        [SESSION_RUNNING] = { [SESSION_ENDED] = true, [SESSION_ORPHANED] = true },
        [SESSION_REFUSED] = { [SESSION_ENDED] = true, [SESSION_ORPHANED] = true },
        [SESSION_ORPHANED] = { [SESSION_ENDED] = true },
};

static void move_to(Session *session, SessionState state) {
        assert(permitted[session->state][state]);
        session->state = state;
        session->deadline = 0;
}

static void forget_client_fds(Session *session) {
        message_close_fds(session->client_fds, session->client_fd_count);
        session->client_fd_count = 0;
}

static uint8_t exit_code(const Session *session) {
        if (!session->exited)
                return 128 + SIGKILL;
        return WIFSIGNALED(session->exit_status) ? (uint8_t)(128 + WTERMSIG(session->exit_status))
                                                 : (uint8_t)WEXITSTATUS(session->exit_status);
}

static void audit_end(const Session *session, uint8_t code, const char *refusal) {
        AuditEvent event;

        audit_begin(&event, "launcher", refusal != NULL ? "session_refused" : "session_end");
        audit_number(&event, "session", session->number);
        audit_text(&event, "container", session->target->record.container_name);
        if (refusal != NULL)
                audit_text(&event, "reason", refusal);
        else if (session->reason[0] != '\0')
                audit_text(&event, "reason", session->reason);
        audit_number(&event, "exit_code", code);
        audit_number(
                &event, "milliseconds", (uint64_t)(clock_milliseconds() - session->started_at));
        if (audit_write(session->host->audit, &event) < 0)
                audit_lose(session->host->audit);
}

static void refuse(Session *session, uint8_t code, const char *step, const Error *why) {
        const WireSessionRefused refused = {
                .kind = why->kind,
                .exit_code = code,
                .code = (uint32_t)why->code,
                .step = step,
                .text = why->text,
        };

        move_to(session, SESSION_REFUSED);
        session->refused = true;
        forget_client_fds(session);
        audit_end(session, code, why->text);
        if (session->role != NULL)
                (void)role_sent(session->role,
                        wire_session_refused_write(session->role->control, session->id, &refused));
}

/* For what its child does not know: it is ended, whatever it waits for. */
static void refuse_text(Session *session, const char *step, const char *text) {
        Error why;

        (void)error_set(&why, ERROR_OS, 0, "%s", text);
        refuse(session, 0, step, &why);
        keeper_kill(&session->keeper);
}

static void audit_paths(
        AuditEvent *event, const char *key, const LandlockPlan *plan, const LandlockBits *bits) {
        const char *paths[9];
        size_t count = 0;

        for (size_t i = 0; i < plan->count && count < 8; i++)
                if (landlock_bit(bits, i))
                        paths[count++] = plan->rules[i].path;
        paths[count] = NULL;
        if (count > 0)
                audit_list(event, key, paths, AUDIT_TEXT_MAX / 2);
}

static void describe_in_audit(Session *session, const LandlockOutcome *outcome) {
        const LandlockPlan *plan = &session->target->landlock;

        audit_number(session->begin, "landlock_abi", (uint64_t)plan->abi);
        audit_number(session->begin, "rules", outcome->applied);
        audit_paths(session->begin, "paths_missing", plan, &outcome->skipped);
        audit_paths(session->begin, "links_followed", plan, &outcome->followed);
        audit_paths(session->begin, "directories_created", plan, &outcome->created);
        if (session->status[0] != '\0')
                audit_text(session->begin, "status", session->status);
}

static void try_to_begin(Session *session, int64_t now) {
        int r = audit_write(session->host->audit, session->begin);

        if (r < 0) {
                if (session->deadline == 0)
                        session->deadline = now + AUDIT_LIMIT_MS;
                else if (now >= session->deadline)
                        refuse_text(session, "audit",
                                "the audit takes no lines: no session starts without its line");
                return;
        }
        free(take_ptr(session->begin));
        if (enter_permit(session->keeper.report_fd) < 0)
                return; /* it has died: the end of file is on its way */
        move_to(session, SESSION_EXECUTING);
        session->deadline = now + PREPARE_LIMIT_MS;
}

/* Takes over the master that came along, if one did. */
static void take_report(Session *session, const EnterReport *report, int master) {
        Error why;
        uint8_t code;

        switch (report->kind) {
        case ENTER_TERMINAL_OPEN:
                session->client_fds[0] = master;
                session->client_fd_count = 1;
                return;
        case ENTER_PREPARED:
                move_to(session, SESSION_PREPARED);
                status_describe(session->target, &report->landlock, session->status);
                describe_in_audit(session, &report->landlock);
                try_to_begin(session, clock_milliseconds());
                return;
        case ENTER_FAILED:
                code = enter_explain(
                        report, session->target, session->directory, session->program, &why);
                refuse(session, code, enter_step_name(report->step), &why);
                return;
        }
}

static void child_has_closed(Session *session) {
        session->keeper.report_fd = fd_close(session->keeper.report_fd);
        if (session->state == SESSION_PREPARING || session->state == SESSION_PREPARED) {
                refuse_text(session, "start", "the session's process ended before it was ready");
                return;
        }
        if (session->state != SESSION_EXECUTING)
                return;
        move_to(session, SESSION_RUNNING);
        if (session->role != NULL)
                (void)role_sent(
                        session->role, wire_session_started_write(session->role->control,
                                               session->id, session->number, session->status,
                                               session->client_fds, session->client_fd_count));
        forget_client_fds(session);
}

void session_hear_child(Session *session) {
        while (session->keeper.report_fd >= 0) {
                cleanup_fd int master = -1;
                EnterReport report;
                int r = enter_receive(session->keeper.report_fd, &report, &master);

                if (r == -EAGAIN)
                        return;
                if (r == 1 && session->state < SESSION_RUNNING)
                        take_report(session, &report, take_fd(master));
                else if (r != 1)
                        child_has_closed(session);
        }
}

static void end(Session *session) {
        uint8_t code = exit_code(session);

        move_to(session, SESSION_ENDED);
        if (session->refused)
                return;
        audit_end(session, code, NULL);
        if (session->role != NULL)
                (void)role_sent(session->role,
                        wire_session_ended_write(session->role->control, session->id, code,
                                !session->exited || WIFSIGNALED(session->exit_status)));
}

static void end_soon(Session *session) {
        if (session->state == SESSION_RUNNING && session->deadline == 0)
                session->deadline = clock_milliseconds() + END_LIMIT_MS;
}

void session_hear_keeper(Session *session) {
        KeeperReport report;
        int r;

        if (session->keeper.control < 0)
                return;
        while ((r = keeper_receive(session->keeper.control, &report)) == 1) {
                session_hear_child(session); /* what the child said came first */
                if (report.word == KEEPER_EXITED) {
                        session->exit_status = report.status;
                        session->exited = true;
                        end_soon(session);
                } else if (report.word == KEEPER_GONE) {
                        if (session->keeper.report_fd >= 0)
                                child_has_closed(session);
                        session->keeper.control = fd_close(session->keeper.control);
                        end(session);
                        return;
                }
        }
        if (r == -EAGAIN)
                return;
        session->keeper.control = fd_close(session->keeper.control);
        session_hear_child(session);
        if (session->state < SESSION_RUNNING)
                refuse_text(session, "start",
                        session->reason[0] != '\0' ? session->reason
                                                   : "the session's keeper was killed");
        move_to(session, SESSION_ORPHANED);
}

void session_check_deadline(Session *session, int64_t now) {
        if (session->state == SESSION_PREPARED) {
                try_to_begin(session, now);
                return;
        }
        if (session->deadline == 0 || now < session->deadline)
                return;
        session->deadline = 0;
        if (session->state == SESSION_RUNNING)
                keeper_kill(&session->keeper);
        else
                refuse_text(session, "start",
                        session->state == SESSION_EXECUTING
                                ? "the program was not executed in time: a file system of the "
                                  "container does not answer"
                                : "the session was not ready in time: a file system of the "
                                  "container does not answer");
}

void session_stop(Session *session, const char *reason) {
        if (session->reason[0] == '\0')
                (void)snprintf(session->reason, sizeof(session->reason), "%s", reason);
        if (session->state < SESSION_EXECUTING) {
                keeper_kill(&session->keeper);
                return;
        }
        if (session->keeper.control >= 0)
                (void)keeper_stop(session->keeper.control);
        end_soon(session);
}

void session_abandon(Session *session) {
        session->role = NULL;
        session_stop(session, "gateway gone");
}

void session_bury(Session *session) {
        end(session);
}

static int begin_audit(Session *session, const WireSessionStart *start, Error *error) {
        const Record *record = &session->target->record;
        char hash[SHA256_TEXT_SIZE];
        AuditEvent *event;

        event = session->begin = malloc(sizeof(*event));
        if (event == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot take a session");
        sha256_text(record->policy_hash, hash);
        audit_begin(event, "launcher", "session_start");
        audit_number(event, "session", session->number);
        audit_text(event, "caller", start->caller);
        audit_text(event, "source", start->source);
        audit_text(event, "pod_namespace", record->pod_namespace);
        audit_text(event, "pod", record->pod_name);
        audit_text(event, "container", record->container_name);
        audit_text(event, "container_id", record->container_id);
        audit_number(event, "uid", record->identity.uid);
        audit_text(event, "directory", start->directory);
        audit_flag(event, "terminal", (start->flags & WIRE_SESSION_TTY) != 0);
        audit_flag(event, "login", (start->flags & WIRE_SESSION_LOGIN) != 0);
        audit_text(event, "policy_sha256", hash);
        audit_text(event, "policy_source", record->policy_source);
        audit_digest(event, "arguments_sha256", start->arguments);
        audit_list(event, "arguments", start->arguments, ARGUMENTS_IN_AUDIT);
        return 0;
}

int session_start(const SessionHost *host, uint64_t number, uint32_t id, Role *role, Target *target,
        const WireSessionStart *start, Session **ret_session, Error *error) {
        cleanup(session_freep) Session *session = calloc(1, sizeof(*session));
        cleanup(plan_donep) Plan plan = PLAN_EMPTY;

        if (session == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot take a session");
        session->host = host;
        session->number = number;
        session->id = id;
        session->role = role;
        session->target = target;
        session->keeper = (Keeper){ .control = -1, .report_fd = -1 };
        session->started_at = clock_milliseconds();
        session->deadline = session->started_at + PREPARE_LIMIT_MS;
        session->directory = strdup(start->directory);
        session->program = strdup(start->arguments[0] != NULL ? start->arguments[0] : "");
        if (session->directory == NULL || session->program == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot take a session");
        if (plan_make(&host->base, target, start, &plan, session->client_fds,
                    &session->client_fd_count, error) < 0 ||
                begin_audit(session, start, error) < 0 ||
                keeper_start(&plan, host->proc_fd, &session->keeper, error) < 0)
                return -1;
        *ret_session = take_ptr(session);
        return 0;
}

Session *session_free(Session *session) {
        if (session == NULL)
                return NULL;
        forget_client_fds(session);
        (void)fd_close(session->keeper.control);
        (void)fd_close(session->keeper.report_fd);
        free(session->begin);
        free(session->directory);
        free(session->program);
        free(session);
        return NULL;
}
