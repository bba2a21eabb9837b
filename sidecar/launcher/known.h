/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Known: processes that were looked at lately, each by its directory of /proc, kept open.
 *
 * A directory that is held stays the one process's: whoever gets its pid afterwards is not to be
 * seen through it, and once the process has ended every read fails. So what is read here of one
 * process is of that process, without a start time to compare before and after; and a second look
 * costs a third of the first, because the kernel need not find and make its entries again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sidecar/wire/record.h"

#define KNOWN_MAX 64U /* more than a process and its ancestors (WIRE_PROGRAMS_MAX) */

typedef struct KnownProcess {
        pid_t pid;              /* 0 = free */
        int directory;          /* /proc/PID, O_PATH */
        uint64_t number;        /* of this entry among all that ever were */
        uint64_t used;          /* when it was looked at last, counted in looks */
        int socket;             /* the descriptor that its last connection was; -1 = none */
        RecordInode executable; /* as of the last known_refresh() */
        uint64_t start_time;    /* as of the last look at its parent, as this: */
        pid_t parent;           /* 0 = outside of what we see; -1 = not looked at */
        uint64_t parent_number; /* 0 = the parent was not looked at */
} KnownProcess;

typedef struct Known {
        int proc_fd; /* borrowed */
        uint64_t looks, made;
        KnownProcess processes[KNOWN_MAX];
} Known;

void known_prepare(Known *known, int proc_fd);
void known_done(Known *known);

/* -1 when there is no such process. */
int known_open_directory(const Known *known, pid_t pid);
/* The entry of that pid, if there is one; its process may have ended. */
KnownProcess *known_find(Known *known, pid_t pid);
/* Makes an entry, in the place of an earlier one of the pid or of the one unused for longest. Owns
 * the directory. */
KnownProcess *known_add(Known *known, pid_t pid, int directory);
/* What it executes now. False when it has ended. */
bool known_refresh(Known *known, KnownProcess *process);
/* The parent, refreshed, or NULL when there is none to be seen. process->parent is its pid even
 * then, or -1 when the process has ended; `stop` is asked about that pid first, and true means that
 * nobody wants to see it. */
typedef bool KnownStop(void *context, pid_t pid);
KnownProcess *known_parent(Known *known, KnownProcess *process, KnownStop *stop, void *context);
