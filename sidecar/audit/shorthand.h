/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shorthand: an event as one line for people, in printable ASCII. */
#include "sidecar/audit/event.h"
#include "sidecar/audit/schema.h"

#define AUDIT_SHORTHAND_MAX 320U

/* What does not fit is cut, and "..." stands for it. An event of no form is its name. */
void audit_shorthand(
        const AuditEvent *event, const AuditForm *form, char ret_text[static AUDIT_SHORTHAND_MAX]);
