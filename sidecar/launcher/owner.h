/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Owner: which process has a connection of the sandbox or the pod, what it executes, and who its
 * ancestors are.
 *
 * The kernel names the socket's inode at once; that a process holds it is seen in /proc/PID/fd. Who
 * had the last connections is looked at first, then the newest processes, then all: the first two
 * cost microseconds, and are right for a program that makes many connections and for one that was
 * just started.
 *
 * What this can tell: the executable of the process that holds the socket now. A program that is
 * told what to do by another (through its environment, an interpreter's script, a debugger) keeps
 * its own name. docs/formats/egress.md says what binary rules are worth for that reason.
 */
#include <stdint.h>
#include <sys/types.h>

#include "sidecar/launcher/known.h"
#include "sidecar/launcher/session.h"
#include "sidecar/launcher/target.h"
#include "sidecar/wire/network.h"

#define OWNER_RECENT_MAX 16U /* processes that had a connection, before the rest is asked */

typedef struct OwnerFinder {
        int proc_fd;                         /* borrowed, as the rest */
        int diagnosis[WIRE_NETWORK_POD + 1]; /* by WireNetwork */
        dev_t socket_device;                 /* of every socket's inode */
        int pids_fd;                         /* owned: which pid was given out last */
        Known known;                         /* who had the last connections, and their ancestors */
        const Targets *targets;
        Session *const *sessions;
} OwnerFinder;

/* Text that an answer's paths point into. */
typedef struct OwnerText {
        char paths[WIRE_PROGRAMS_MAX][4096];
} OwnerText;

/* Fills what the finder knows by itself; the caller has filled in the rest. */
int owner_prepare(OwnerFinder *finder, Error *error);
void owner_done(OwnerFinder *finder);
/* Always answers: GONE when nobody is found. */
void owner_find(
        OwnerFinder *finder, const WireOwnerAsk *ask, OwnerText *text, WireOwner *ret_owner);

/* The files that paths lead to inside a container's root, without leaving it. 0, 0 for what is not
 * there. */
void owner_find_programs(int proc_fd, const Target *target, const char *const *paths,
        WireFile *ret_files, uint32_t count);
