/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AuditRecent: the newest lines again, in a file beside the launcher's sockets, for who follows the
 * audit from inside the sidecar's container (`navigator audit`). The container's log is the record;
 * this is a view of it, of bounded size, that may be lost.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define AUDIT_RECENT_NAME "audit.jsonl"
#define AUDIT_RECENT_OLD_NAME "audit.jsonl.1" /* where the file before it is */
#define AUDIT_RECENT_PATH "/run/navigator/" AUDIT_RECENT_NAME
#define AUDIT_RECENT_OLD_PATH "/run/navigator/" AUDIT_RECENT_OLD_NAME
/* Of each of the two; the tmpfs that they are on has 1 MiB. */
#define AUDIT_RECENT_SIZE ((size_t)256 * 1024)

typedef struct AuditRecent {
        int directory, file; /* owned; -1: there is none */
        size_t size;
} AuditRecent;

#define AUDIT_RECENT_NONE                                                                          \
        { .directory = -1, .file = -1 }

/* Begins a new file; one that is there becomes the old one. */
int audit_recent_open(const char *directory, AuditRecent *ret_recent, Error *error);
/* A line with its newline. When there is no place for it, it is not there. */
void audit_recent_add(AuditRecent *recent, const char *line, size_t size);
void audit_recent_donep(AuditRecent *recent);
