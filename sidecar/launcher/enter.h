/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Enter: the session's child, from the fork to the execve. It applies a plan step by step, reports
 * the first step that fails, and executes only after the launcher has said so: by then the audit
 * has its line.
 *
 * The child and the launcher talk over one SEQPACKET pair, whose end in the child closes with the
 * execve: end of file after ENTER_PREPARED means that the program runs.
 */
#include "sidecar/launcher/landlock.h"
#include "sidecar/launcher/plan.h"

/* In the order in which they are taken. */
typedef enum EnterStep {
        ENTER_START, /* the fork itself, which the keeper reports */
        ENTER_SIGNALS,
        ENTER_CGROUP,
        ENTER_NAMESPACES,
        ENTER_ROOT,
        ENTER_SHELL,
        ENTER_TERMINAL,
        ENTER_STREAMS,
        ENTER_LANDLOCK_RULES,
        ENTER_LIMITS,
        ENTER_BOUNDING_SET,
        ENTER_IDENTITY,
        ENTER_DIRECTORY,
        ENTER_NO_NEW_PRIVILEGES,
        ENTER_LANDLOCK,
        ENTER_DESCRIPTORS,
        ENTER_SECCOMP,
        ENTER_PERMISSION,
        ENTER_EXECUTE,
        ENTER_STEP_COUNT,
} EnterStep;

typedef enum EnterReportKind {
        ENTER_TERMINAL_OPEN = 1, /* its master comes along */
        ENTER_PREPARED,          /* every control is in force */
        ENTER_FAILED,
} EnterReportKind;

typedef struct EnterReport {
        EnterReportKind kind;
        EnterStep step;  /* FAILED: which */
        int code;        /* and its errno */
        uint32_t detail; /* the index of the cgroup or of the Landlock rule at fault */
        LandlockOutcome landlock;
} EnterReport;

/* Never returns. `report_fd` is the child's end. */
void enter(Plan *plan, int report_fd) __attribute__((__noreturn__));

/* The keeper's: the child could not be forked. */
void enter_report_no_start(int report_fd, int code);

/* The launcher's side. 1: a report, with the terminal's master in *ret_master (-1: none), which
 * becomes the caller's; 0: the child's end is closed; -EAGAIN: nothing there yet; or another
 * -errno. */
int enter_receive(int fd, EnterReport *ret_report, int *ret_master);
/* Lets a prepared child execute. 0, or -errno. */
int enter_permit(int fd);

/* "landlock-rules" */
const char *enter_step_name(EnterStep step);
/* Why a report failed, as a sentence. Returns the exit code that a shell would give (126, 127), or
 * 0 where the failure is not the command's. */
uint8_t enter_explain(const EnterReport *report, const Target *target, const char *directory,
        const char *program, Error *ret_error);
