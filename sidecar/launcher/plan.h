/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Plan: everything that a session's child needs, as data, made before the fork: the child then only
 * applies it (enter.c).
 *
 * Owns: its ends of the pipes, environment and arguments. Borrows: the target, the request (both
 * outlive the fork), the program, the network.
 */
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/launcher/command.h"
#include "sidecar/launcher/environment.h"
#include "sidecar/launcher/seccomp.h"
#include "sidecar/launcher/target.h"
#include "sidecar/wire/wire.h"

#define PLAN_DIRECTORIES_MAX 3U

/* What is the same for every session of this launcher. */
typedef struct PlanBase {
        int network_fd; /* the sandbox network */
        int null_fd;    /* /dev/null, for streams that nobody asked for */
        const SeccompProgram *seccomp;
        struct rlimit files;
} PlanBase;

typedef struct Plan {
        const PlanBase *base;
        const Target *target;
        bool terminal;
        uint16_t rows, columns;
        int streams[3]; /* the child's stdin, stdout, stderr; -1 with a terminal */
        const char *directories[PLAN_DIRECTORIES_MAX]; /* the first that can be entered; */
        size_t directory_count;                        /* one alone is the caller's and must be */
        Environment environment;
        Command command;
} Plan;

#define PLAN_EMPTY ((Plan){ .streams = { -1, -1, -1 } })

/* Checks the request against its bounds. ret_peer_ends are the other ends of the pipes,
 * *ret_peer_end_count of them, in the order of WIRE_SESSION_STARTED; the caller's. */
int plan_make(const PlanBase *base, const Target *target, const WireSessionStart *start,
        Plan *ret_plan, int ret_peer_ends[static 3], size_t *ret_peer_end_count, Error *error);
Plan plan_done(Plan plan);
DEFINE_CLEANUP(Plan, plan_done);
