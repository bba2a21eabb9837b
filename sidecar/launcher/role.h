/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Role: one of the launcher's unprivileged children (the gateway, egress), started, watched and
 * started again.
 *
 * A role is another executable, with another uid, no capability, and two descriptors that matter:
 * the container's log as 2 and its socket to the launcher as WIRE_CONTROL_FD. All it serves with is
 * given to it over that socket.
 *
 * States: STOPPED (until restart_at) -> STARTING (given everything, has not said READY) -> SERVING;
 * FAILED when a message cannot be delivered or understood: the launcher ends it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "sidecar/wire/users.h"

#define ROLE_ARGUMENTS_MAX 8U

typedef enum RoleState { ROLE_STOPPED, ROLE_STARTING, ROLE_SERVING, ROLE_FAILED } RoleState;

typedef struct Role {
        const char *name;                        /* also of its audit lines */
        const char *program;                     /* path */
        char *arguments[ROLE_ARGUMENTS_MAX + 1]; /* behind the program, NULL-ended; borrowed */
        uid_t uid;                               /* and gid */
        RoleState state;
        pid_t pid;                      /* 0: none */
        int control;                    /* -1: none. Blocking, with a time limit on sending */
        int64_t started_at, restart_at; /* clock.h */
        unsigned failures;              /* in a row: the pause before a restart grows with them */
} Role;

/* Forks and executes; the caller then gives it what it serves with and says START. */
int role_start(Role *role, Error *error);
/* A message could not be sent (r < 0, as the wire functions return it): the role counts as failed.
 * Passes r on. */
int role_sent(Role *role, int r);
/* Ends it, if it runs. */
void role_kill(Role *role);
/* To be called when its pid was reaped: says when it may start again. */
void role_ended(Role *role);
