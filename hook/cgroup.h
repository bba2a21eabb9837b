/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Cgroups: `cgroup.procs` of every hierarchy a container was put in, opened for writing on the
 * host.
 *
 * The kernel judges a write to such a descriptor by who opened it (cgroups(7), "Delegation
 * containment"): the in-pod sidecar, which has its own cgroup namespace, cannot open the file
 * itself, but can write to ours. Versions 1, 2 and hybrid layouts.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/process.h"
#include "sidecar/wire/record.h"

#define CGROUP_NAME_MAX 64U
#define CGROUP_PATH_MAX 4096U

typedef struct Cgroup {
        char name[CGROUP_NAME_MAX];  /* "memory", "cpu,cpuacct", "name=systemd"; "" is version 2 */
        char mount[CGROUP_PATH_MAX]; /* where the hierarchy is mounted */
        char path[CGROUP_PATH_MAX];  /* of the container below that, never empty */
} Cgroup;

typedef struct Cgroups {
        uint32_t count;
        char names[RECORD_CGROUPS_MAX][CGROUP_NAME_MAX];
        int fds[RECORD_CGROUPS_MAX]; /* owned */
} Cgroups;

/* `proc` is the host's /proc. Hierarchies in which the runtime left the container where the hook
 * itself is are not listed: there is nothing to move a session to. None at all (a runtime with
 * cgroups switched off) is count 0, not an error. */
int cgroups_open(int proc, const Process *process, Cgroups *ret_cgroups, Error *error);
Cgroups *cgroups_close(Cgroups *cgroups);

/* Pure: pairs the container's and our own /proc/PID/cgroup with /proc/self/mountinfo. *ret_count of
 * at most RECORD_CGROUPS_MAX. */
int cgroups_match(const char *container, const char *own, const char *mounts,
        Cgroup ret_cgroups[static RECORD_CGROUPS_MAX], uint32_t *ret_count, Error *error);
