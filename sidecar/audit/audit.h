/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Audit: one JSON line an event, of at most 4 KiB, written by the launcher alone.
 * docs/formats/audit.md has the events and their fields.
 *
 * The log stamps time, sequence and the role that an event came from. A line that is given up
 * leaves no gap in the sequence: it is counted, and the next line says how many were lost before
 * it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sidecar/audit/event.h"
#include "sidecar/audit/recent.h"

/* How long a session or a policy waits for its line before it is refused. */
#define AUDIT_LIMIT_MS 2000

/* Where lines go: the container's log, or a file in its place. */
typedef struct AuditLog {
        int fd; /* borrowed */
        uint64_t sequence;
        uint64_t lost;       /* since the last line that was written */
        bool torn;           /* the last line was written in part */
        AuditRecent *recent; /* borrowed; NULL: nobody follows */
} AuditLog;

/* 0; or -EAGAIN when the reader is behind, or another -errno: then nothing of it counts, and the
 * caller tries again or calls audit_lose(). */
int audit_write(AuditLog *log, const AuditEvent *event);
void audit_lose(AuditLog *log);
