/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AuditLine: a line that is read again, for the command line. Its fields have the names of
 * docs/formats/audit.md, wherever OCSF wants them: "host", "verdict", "event". An attribute that is
 * no field has its path: "severity_id", "device.type_id".
 *
 * Whoever wrote the line is not believed: values are text, and may hold anything but a NUL.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* What is longer is no line of ours: the launcher's have 4 KiB, other writers' OCSF may have more.
 */
#define AUDIT_LINE_READ_MAX ((size_t)64 * 1024)

typedef struct AuditLine AuditLine;

/* NULL where it is no line of the audit (other text, another product's event), or without memory.
 * `text` need not end. */
AuditLine *audit_line_read(const char *text, size_t size);
AuditLine *audit_line_free(AuditLine *line);
DEFINE_CLEANUP(AuditLine *, audit_line_free);

/* A field as text, a list as JSON; NULL where there is none. */
const char *audit_line_get(const AuditLine *line, const char *field);
/* All of it as JSON in ASCII. Malloc'ed; NULL without memory. */
char *audit_line_json(const AuditLine *line);
