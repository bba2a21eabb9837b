/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Attempts: connections that the audit says were denied, or let through for the record, each kind
 * (program, host, port) once and in a fixed order, with how often it happened and, where a rule
 * would be no answer, why.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/audit/line.h"

#define ATTEMPTS_MAX 1024U /* kinds; what is more is counted */
#define ATTEMPT_TEXT_MAX 512U

typedef struct Attempt {
        char *binary, *host; /* owned; "" where the line has none */
        uint16_t port;       /* 0: none */
        uint64_t count;
        char why_not[ATTEMPT_TEXT_MAX]; /* "" while nothing speaks against a rule */
} Attempt;

typedef struct Attempts {
        Attempt *items[ATTEMPTS_MAX]; /* sorted by binary, host, port */
        size_t count;
        uint64_t beyond; /* lines that found no room */
} Attempts;

void attempts_donep(Attempts *attempts);

/* Takes note of a line. Lines that are about something else are passed over. False without memory.
 */
bool attempts_add(Attempts *attempts, const AuditLine *line);
