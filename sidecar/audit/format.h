/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Format: an event becomes a line. Pure. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "sidecar/audit/event.h"

/* PIPE_BUF: a pipe that polls writable takes this much at once, so a line is never cut and writing
 * it never blocks. */
#define AUDIT_LINE_MAX 4096U

/* What the log knows and the event does not. */
typedef struct AuditStamp {
        struct timespec time;
        uint64_t sequence;
        uint64_t lost; /* lines that were given up before this one */
} AuditStamp;

/* The line with its newline and a NUL behind it. Returns its size, the newline included: at most
 * AUDIT_LINE_MAX - 1. */
size_t audit_format(
        const AuditEvent *event, const AuditStamp *stamp, char ret_line[static AUDIT_LINE_MAX]);
