/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeper: the process between the launcher and one session. It is the session's subreaper, so that
 * nothing which the session forks can get away from it; it stays in the sidecar's cgroup and
 * namespaces, and lives exactly as long as the session's tree. From the execve of the session's
 * program on it holds no capability but KILL; before, it waits for that, in vfork.
 *
 * The launcher holds one SEQPACKET socket to it. It says KEEPER_STOP; the keeper says
 * KEEPER_EXITED, then KEEPER_GONE. A launcher that has died closes its end: the child that waits
 * for its permission ends by that, and a keeper ends its tree without any grace.
 */
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "sidecar/launcher/plan.h"

/* Between the hangup and the kill, milliseconds: what is left of a tree must be gone within a
 * second. */
#define KEEPER_GRACE_MS 500

typedef enum KeeperWord {
        KEEPER_EXITED = 1, /* the program has ended */
        KEEPER_GONE,       /* so has everything that it started */
        KEEPER_STOP,       /* from the launcher: hang up, wait KEEPER_GRACE_MS, kill */
} KeeperWord;

typedef struct KeeperReport {
        KeeperWord word;
        int status; /* EXITED: of waitpid(2) */
} KeeperReport;

typedef struct Keeper {
        pid_t pid;
        int control;   /* to the keeper */
        int report_fd; /* to the session's child, until it has executed: enter.h */
} Keeper;

/* Forks a keeper and, below it, the child that enters. The caller owns both descriptors, which are
 * non-blocking, and reaps the pid. */
int keeper_start(Plan *plan, int proc_fd, Keeper *ret_keeper, Error *error);

/* 1: a report; 0: the keeper has gone; -EAGAIN; or -errno. */
int keeper_receive(int control, KeeperReport *ret_report);
/* For a session whose program has been executed: it gets its grace. 0, or -errno. */
int keeper_stop(int control);
/* For one whose program has not: nothing of the workload's runs yet, and the keeper waits for its
 * child's execve. What is left of the child becomes the launcher's (reap.h). */
void keeper_kill(const Keeper *keeper);
