/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files of cases: "=== NAME", a text, "--- WORD", and lines of what is expected.
 * Lines before the first case are comments.
 */
#include <stdbool.h>

typedef struct Case {
        const char *file, *name;
        char *text; /* with its last newline; "" when there is none. The check may change it. */
        const char *word;
        char *expected; /* lines, each with its newline. The check may change it. */
} Case;

typedef bool CaseCheck(const Case *item); /* false: failed, and said why */

/* Runs `check` on each case and fails the test when one of them fails. Returns how many there were.
 */
unsigned cases_run(const char *file, CaseCheck *check);
