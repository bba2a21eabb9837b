/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Landlock: which paths a session may use, as rules that are opened inside the workload's root by a
 * process that is still privileged, and put in force by the same process after it has become the
 * sandbox user.
 *
 * ABI 2 is the floor: below it no rename or link across directories would be possible. Newer rights
 * are handled where the kernel has them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define LANDLOCK_ABI_FLOOR 2
/* Below it, connecting to a socket file outside the policy cannot be refused. */
#define LANDLOCK_ABI_UNIX_SOCKETS 9
#define LANDLOCK_RULES_MAX 4096U /* what policy/effective.h gives at most */

typedef struct LandlockRule {
        const char *path; /* borrowed */
        bool writable;
        bool authored; /* written by the policy's author, not by a default */
} LandlockRule;

typedef struct LandlockPlan {
        int abi;   /* 0: no Landlock, which only best_effort permits */
        bool hard; /* hard_requirement: an authored path that is missing fails the session */
        uid_t uid; /* who owns a read-write directory that has to be created */
        gid_t gid;
        LandlockRule *rules; /* owned */
        size_t count;
} LandlockPlan;

/* One bit a rule. */
typedef struct LandlockBits {
        uint8_t byte[LANDLOCK_RULES_MAX / 8];
} LandlockBits;

typedef struct LandlockOutcome {
        uint32_t applied;
        LandlockBits skipped;  /* authored, missing */
        LandlockBits followed; /* authored, a symbolic link: its target was granted */
        LandlockBits created;
} LandlockOutcome;

bool landlock_bit(const LandlockBits *bits, size_t index);

/* The ABI of this kernel, or -errno: ENOSYS: this kernel has none; EOPNOTSUPP: not enabled; else
 * blocked. */
int landlock_probe(void);
/* For people: "not implemented", "not enabled", "blocked". */
const char *landlock_absence(int code);

/* The rights that a path gets under an ABI: `writable` gives every right handled, else reading,
 * listing and executing; what is not a directory gets the rights of files only. */
uint64_t landlock_rights(int abi, bool writable, bool directory);

/* Opens and adds all rules. Called inside the workload's root, with capabilities. 0, or -errno with
 * the index of the rule at fault: ENOENT and ENOTDIR: missing; ELOOP: a symbolic link where none is
 * taken. *ret_fd -1 when plan->abi is 0. */
int landlock_prepare(
        const LandlockPlan *plan, int *ret_fd, LandlockOutcome *ret_outcome, uint32_t *ret_rule);
/* Needs no_new_privs. 0, or -errno. */
int landlock_enforce(const LandlockPlan *plan, int ruleset_fd);
