/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Launcher: the state of the one process that holds capabilities, and the loop that it runs.
 *
 * Owns everything named here but the options. One thread, one poll(2); whatever a callback does is
 * bounded and does not wait, except for the two seconds that a role gets to take a message.
 */
#include <signal.h>

#include "base/error.h"
#include "base/sha256.h"
#include "sidecar/audit/audit.h"
#include "sidecar/launcher/doors.h"
#include "sidecar/launcher/options.h"
#include "sidecar/launcher/owner.h"
#include "sidecar/launcher/register.h"
#include "sidecar/launcher/role.h"
#include "sidecar/launcher/session.h"
#include "sidecar/launcher/target.h"
#include "sidecar/wire/wire.h"

#define LAUNCHER_SESSIONS_MAX 256U /* in a pod, at once */

typedef struct Launcher {
        const Options *options;
        int signals; /* signalfd: SIGCHLD, SIGTERM, SIGINT */
        int landlock_abi;
        SeccompProgram seccomp;
        SessionHost host;
        AuditLog audit;
        AuditRecent recent;
        Register registration;
        int tls_listener, unix_listener; /* tls: -1 where there is no certificate */
        Role gateway, egress;
        Doors doors; /* what egress serves with */
        OwnerFinder owners;
        int policy_fd; /* the network policy in force, a memory file; -1: none yet */
        uint32_t policy_generation;
        uint8_t policy_hash[SHA256_SIZE];
        int64_t policy_deadline; /* of a policy whose line the audit does not take; 0: none waits */
        const void *policy_target; /* whose start it came with: compared, never followed */
        int64_t reload_at;
        uint8_t reload_seen[SHA256_SIZE]; /* the last text that was looked at */
        Targets targets;
        Session *sessions;
        size_t session_count;
        uint64_t session_number;
        bool orphans;        /* a keeper was killed: what it kept is ours to end */
        bool ending;         /* SIGTERM */
        WireMessage message; /* the one that is being handled */
} Launcher;

/* Serves until SIGTERM or SIGINT. 0, or -1 when the loop itself cannot go on. */
int launcher_run(Launcher *launcher, Error *error);
