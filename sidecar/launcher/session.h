/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Session: one program run in the sandbox, as the launcher sees it, from the request to the end of
 * its process tree.
 *
 * Owns: the sockets to its keeper and its child, the descriptors that the client will get, its
 * audit event until that is written. Borrows: the target (which stays listed while a session has
 * it) and the role that asked (NULL once that has gone).
 *
 * States, and who moves it on:
 * - PREPARING: the child applies the plan. To PREPARED by its report, to REFUSED by a failure or
 *   the deadline.
 * - PREPARED: every control is in force, the audit line is due. To EXECUTING when that is written,
 *   to REFUSED when it could not be within 2 s.
 * - EXECUTING: the child may execute. To RUNNING by the end of file, to REFUSED when the program
 *   cannot be executed.
 * - RUNNING: the client has its descriptors. To ENDED by the keeper; one that does not end its
 *   tree in time is killed, and then to ORPHANED.
 * - REFUSED: the client knows why, the tree ends. To ENDED by the keeper.
 * - ORPHANED: the keeper was killed, the tree is ours. To ENDED when reap.c has found nothing more.
 * - ENDED: nothing is left.
 * The order counts: before EXECUTING nothing of the workload's has run, before RUNNING the client
 * has nothing.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/audit/audit.h"
#include "sidecar/launcher/keeper.h"
#include "sidecar/launcher/role.h"
#include "sidecar/launcher/status.h"
#include "sidecar/launcher/target.h"

typedef enum SessionState {
        SESSION_PREPARING,
        SESSION_PREPARED,
        SESSION_EXECUTING,
        SESSION_RUNNING,
        SESSION_REFUSED,
        SESSION_ORPHANED,
        SESSION_ENDED,
} SessionState;

/* What all sessions share. */
typedef struct SessionHost {
        PlanBase base;
        int proc_fd;
        AuditLog *audit;
} SessionHost;

typedef struct Session {
        struct Session *next;
        const SessionHost *host;
        SessionState state;
        uint64_t number; /* of this launcher */
        uint32_t id;     /* of the role that asked */
        Role *role;
        Target *target;
        Keeper keeper;
        int client_fds[3];
        size_t client_fd_count;
        int64_t deadline; /* clock.h; 0: none */
        int64_t started_at;
        int exit_status;           /* of waitpid(2) */
        bool exited;               /* exit_status is known */
        bool refused;              /* the role was told, and will hear no more */
        AuditEvent *begin;         /* until it is written */
        char *directory, *program; /* for explanations */
        char reason[64];           /* why it was stopped */
        char status[STATUS_TEXT_MAX];
} Session;

/* Forks. On failure nothing was started and the caller refuses; afterwards the session answers the
 * role itself. */
int session_start(const SessionHost *host, uint64_t number, uint32_t id, Role *role, Target *target,
        const WireSessionStart *start, Session **ret_session, Error *error);
Session *session_free(Session *session);
DEFINE_CLEANUP(Session *, session_free);

void session_hear_child(Session *session);  /* keeper.report_fd is readable */
void session_hear_keeper(Session *session); /* keeper.control is readable */
void session_check_deadline(Session *session, int64_t now);
/* Hang up, grace, kill. */
void session_stop(Session *session, const char *reason);
/* The role has gone: nobody wants the session any more. */
void session_abandon(Session *session);
/* Nothing of an ORPHANED one is left. */
void session_bury(Session *session);
