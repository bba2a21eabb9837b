/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a role may ask for, and what it is told: the launcher's half of docs/formats/wire.md. */
#include "sidecar/launcher/launcher.h"

/* Starts the gateway and gives it what it serves with. Failures are logged and tried again later.
 */
void serve_start_gateway(Launcher *launcher);
/* One message of the gateway is there, or its end. */
void serve_hear_gateway(Launcher *launcher);
/* Says which containers can be entered; to be called whenever that has changed. */
void serve_tell_targets(Launcher *launcher);
/* The gateway has ended: so do its sessions. */
void serve_lose_gateway(Launcher *launcher);

/* What has become of a role's process: the launcher's own event of that name. */
void serve_audit_role(Launcher *launcher, const Role *role, const char *name);
/* An event that a role wants in the audit, under its own name. */
int serve_audit_line(Launcher *launcher, const Role *role, WireMessage *message, Error *error);
