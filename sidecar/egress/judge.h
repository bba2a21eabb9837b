/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judge: the policy in force and the decisions it makes.
 *
 * A policy names programs by path; a venv's python is a link to an interpreter elsewhere, so exact
 * paths are also compared by device and inode, and those only the launcher can look up inside the
 * workload's root. The judge asks it at most once a second, and once more before it says no for the
 * program's sake.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "sidecar/egress/control.h"
#include "sidecar/egress/destination.h"
#include "sidecar/egress/owner.h"

#define JUDGE_TEXT_SIZE 1024U

typedef struct Judge Judge;

typedef struct Verdict {
        PolicyDecision
                decision; /* borrows from the policy: valid until the next judge_set_policy() */
        char text[JUDGE_TEXT_SIZE]; /* the reason as a sentence */
} Verdict;

/* Somebody who waits for programs to be looked up. Embedded in the waiter; zero means not waiting.
 */
typedef struct JudgeWait {
        void (*done)(void *context);
        void *context;
        TAILQ_ENTRY(JudgeWait) list;
        struct JudgeContainer *container;
} JudgeWait;

/* Denies everything until a policy is set. NULL without memory. The control is borrowed. */
Judge *judge_new(Control *control);
Judge *judge_free(Judge *judge);
DEFINE_CLEANUP(Judge *, judge_free);

/* Takes a reference. What is being looked up for the old one is looked up again. */
void judge_set_policy(Judge *judge, const Policy *policy, uint32_t generation);
const Policy *judge_policy(const Judge *judge); /* NULL: none yet */
uint32_t judge_generation(const Judge *judge);

/* By name when `address` is NULL, else about that very address of the destination. */
void judge_decide(const Judge *judge, const Destination *destination, const Owner *owner,
        const Address *address, Verdict *ret_verdict);

/* Whether that verdict should not be believed before programs were looked up again: `since` is when
 * the connection came, in milliseconds. */
bool judge_is_stale(const Judge *judge, const Owner *owner, const Verdict *verdict, int64_t since);
/* Calls wait->done when they have been (or cannot be). False when nothing can be asked: then the
 * verdict stands. */
bool judge_look_up(Judge *judge, const Owner *owner, JudgeWait *wait);
void judge_stop_waiting(JudgeWait *wait);
