/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How a connection learns that it does not get through, and how the audit does. */
#include "base/error.h"
#include "sidecar/egress/connection.h"
#include "sidecar/egress/report.h"

/* The audit line of a decision. verdict NULL: no policy was asked. */
void connection_report(Connection *connection, ReportVerdict outcome, const char *engine,
        const char *reason, const char *text, const Verdict *verdict);

/* Reports and refuses: a client of the proxy gets `status` and a body that explains it; a
 * transparent one is reset. Afterwards the connection may be gone: the caller returns. */
void connection_refuse(Connection *connection, unsigned status, const char *engine,
        const char *reason, const char *text, const Verdict *verdict);
/* The same by a verdict: 403. */
void connection_deny(Connection *connection, const Verdict *verdict);
/* The same in the middle of TLS: with an alert. */
void connection_alert(Connection *connection, const char *reason, const char *text);
/* What is allowed and does not work: 502 or 504. */
void connection_fail(Connection *connection, const Error *error);
