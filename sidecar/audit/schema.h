/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Schema: how events are said in OCSF (https://schema.ocsf.io), as two tables: what class an event
 * is of, and where in a line its fields go. The formatter writes by them, readers read by them.
 *
 * An event has a class only under the role that may report it: what a role says that is not its
 * own is a Base Event, whatever it is called.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/audit/event.h"

#define AUDIT_SCHEMA_VERSION "1.6.0"

typedef enum AuditClass {
        AUDIT_BASE_EVENT = 0,
        AUDIT_PROCESS_ACTIVITY = 1007,
        AUDIT_NETWORK_ACTIVITY = 4001,
        AUDIT_DNS_ACTIVITY = 4003,
        AUDIT_CONFIG_STATE_CHANGE = 5019, /* Device Config State Change */
        AUDIT_APPLICATION_LIFECYCLE = 6002,
        AUDIT_API_ACTIVITY = 6003,
} AuditClass;

/* What came of it, in OCSF's numbers; 0 is left out. */
typedef struct AuditOutcome {
        uint8_t status, severity, action, disposition;
} AuditOutcome;

typedef struct AuditForm {
        const char *role, *event;
        const char *via, *verdict; /* the value that the field has to have; NULL: any */
        AuditClass class;
        uint8_t activity;
        AuditOutcome outcome;
        /* The line for people: {key} is a field, and a part between < and > with a field that is
         * not there is left out. */
        const char *shorthand;
} AuditForm;

typedef enum AuditKind { AUDIT_KIND_TEXT, AUDIT_KIND_NUMBER } AuditKind;

/* Where a field goes: "dst_endpoint.hostname". */
typedef struct AuditPath {
        const char *key;  /* NULL: a constant */
        const char *path; /* at most 4 names */
        const char *role; /* NULL: any */
        unsigned classes; /* a bit each, see audit_class_bit() */
        AuditKind kind;
        const char *constant; /* JSON */
} AuditPath;

unsigned audit_class_bit(AuditClass class);

/* Never NULL. */
const AuditForm *audit_form(const AuditEvent *event);
/* In the order in which they stand in a line: what is below one name stands together, and what a
 * full line has no room for is what comes last. */
const AuditPath *audit_paths(size_t *ret_count);
/* Where the field goes in a line of this class; NULL: among the unmapped. */
const AuditPath *audit_path(const char *key, const char *role, AuditClass class);
