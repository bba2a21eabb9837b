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
#include <stddef.h>
#include <stdint.h>

/* PIPE_BUF: a pipe that polls writable takes this much at once, so a line is never cut and writing
 * it never blocks. */
#define AUDIT_LINE_MAX 4096U
/* What time, sequence, role and the count of lost lines take of it. */
#define AUDIT_STAMP_MAX 192U
/* Bytes of one text as it stands in the line; the rest is cut, and "cut" says so. */
#define AUDIT_TEXT_MAX 512U

#define AUDIT_KEY_MAX 32U

/* An event while it is put together: the inside of a JSON object. A field for which there is no
 * room is left out, and "cut" says so. */
typedef struct AuditEvent {
        const char *role; /* borrowed */
        char text[AUDIT_LINE_MAX - AUDIT_STAMP_MAX];
        size_t size;
        bool cut;
} AuditEvent;

/* Whether a key that came from elsewhere may be used: lower case, digits and '_', and none that the
 * log sets itself. */
bool audit_is_key(const char *text);

void audit_begin(AuditEvent *event, const char *role, const char *name);
void audit_text(AuditEvent *event, const char *key, const char *value);
void audit_number(AuditEvent *event, const char *key, uint64_t value);
void audit_flag(AuditEvent *event, const char *key, bool value);
/* An array of texts, cut after `room` bytes. */
void audit_list(AuditEvent *event, const char *key, const char *const *values, size_t room);
/* The SHA-256 of all of them, each with its NUL: what a list that may be cut was in full. */
void audit_digest(AuditEvent *event, const char *key, const char *const *values);

/* Where lines go: the container's log, or a file in its place. */
typedef struct AuditLog {
        int fd; /* borrowed */
        uint64_t sequence;
        uint64_t lost; /* since the last line that was written */
        bool torn;     /* the last line was written in part */
} AuditLog;

/* 0; or -EAGAIN when the reader is behind, or another -errno: then nothing of it counts, and the
 * caller tries again or calls audit_lose(). */
int audit_write(AuditLog *log, const AuditEvent *event);
void audit_lose(AuditLog *log);
