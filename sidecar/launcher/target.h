/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Target: a workload container that sessions can enter, from the hook's message to the end of its
 * init.
 *
 * Owns: the record, its policy, the pidfd and the cgroup descriptors.
 * States: WAITING (init is still the runtime) -> ENTERABLE; UNUSABLE, with the reason,
 * instead of either; GONE when init has ended.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "policy/policy.h"
#include "sidecar/launcher/landlock.h"
#include "sidecar/wire/record.h"

typedef enum TargetState {
        TARGET_WAITING,
        TARGET_ENTERABLE,
        TARGET_UNUSABLE,
        TARGET_GONE
} TargetState;

typedef struct Target {
        struct Target *next;
        TargetState state;
        Error unusable; /* why, when it is */
        uint8_t *bytes; /* owned: the record's; everything in `record` points into it */
        Record record;
        Policy *policy;
        PolicyPath *paths;     /* owned; the rules point into it */
        LandlockPlan landlock; /* owns its rules */
        const char *label;     /* label_difference() */
        int pidfd;
        pid_t pid;           /* in our pid namespace */
        int namespace_flags; /* what a session has to join */
        int cgroups[RECORD_CGROUPS_MAX];
} Target;

/* From the descriptors of a hand-over message, which it takes (sets to -1) as far as it keeps them.
 * A record that cannot be believed is an error; a container that cannot be entered is a target with
 * a reason. `landlock_abi` is what landlock_probe() said. */
int target_new(int proc_fd, int landlock_abi, int *fds, size_t fd_count, Target **ret_target,
        Error *error);
Target *target_free(Target *target);
DEFINE_CLEANUP(Target *, target_free);

/* Looks whether a waiting target can be entered by now, or has gone. True when its state has
 * changed. */
bool target_refresh(Target *target, int proc_fd);

/* A list, in the order of registration. */
typedef struct Targets {
        Target *first;
} Targets;

void targets_append(Targets *targets, Target *target);
void targets_remove(Targets *targets, Target *target); /* and frees it */
/* The one of that name that has not gone, or NULL. */
Target *targets_find_living(const Targets *targets, const char *name);
/* By name, or with "" the one that the pod's annotation names, or the first. Fails with ERROR_INPUT
 * (no such container, none at all). */
int targets_select(const Targets *targets, const char *name, Target **ret_target, Error *error);
/* The names of those that can be entered, the default first; a malloc'ed NULL-ended array of
 * borrowed strings, NULL without memory. */
const char **targets_names(const Targets *targets);
