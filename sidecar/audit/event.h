/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AuditEvent: what happened, as a name and fields, before it is a line. Who reports an event knows
 * nothing of the form of lines: sidecar/audit/schema.c says where each field goes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_EVENT_MAX 4096U
/* Bytes of one text as it stands in the line; the rest is cut, and the line says so. */
#define AUDIT_TEXT_MAX 512U

#define AUDIT_KEY_MAX 32U

/* A field for which there is no room is left out, and the line says so. */
typedef struct AuditEvent {
        const char *role, *name;    /* borrowed */
        char text[AUDIT_EVENT_MAX]; /* key NUL value NUL ...; values are JSON */
        size_t size;
        bool cut;
} AuditEvent;

/* Whether a key that came from elsewhere may be used: lower case, digits and '_', and none that the
 * log sets itself. */
bool audit_is_key(const char *text);

void audit_begin(AuditEvent *event, const char *role, const char *name);
/* An empty text is left out. */
void audit_text(AuditEvent *event, const char *key, const char *value);
void audit_number(AuditEvent *event, const char *key, uint64_t value);
void audit_flag(AuditEvent *event, const char *key, bool value);
/* An array of texts, cut after `room` bytes. */
void audit_list(AuditEvent *event, const char *key, const char *const *values, size_t room);
/* The SHA-256 of all of them, each with its NUL: what a list that may be cut was in full. */
void audit_digest(AuditEvent *event, const char *key, const char *const *values);

/* The JSON value of a field, or NULL. */
const char *audit_find(const AuditEvent *event, const char *key);
/* Walks the fields: *ret_key is the next after *at, which begins with 0. NULL at the end. */
const char *audit_next(const AuditEvent *event, size_t *at, const char **ret_key);
