/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* navigator audit; and its lines for others that read them. */
#include "base/error.h"
#include "cli/verb.h"
#include "sidecar/audit/line.h"

/* A line of the audit, for the call. False ends the reading. */
typedef bool AuditReader(void *context, const AuditLine *line);

/* The lines of `path`; NULL: those that the launcher in this container keeps, the older file first.
 * What is no line of the audit is passed over. */
int audit_read(const char *path, AuditReader *reader, void *context, Error *error);

int audit_run(const Invocation *invocation);
