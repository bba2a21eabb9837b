/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What egress may ask for, and what it is told: the network half of docs/formats/wire.md. */
#include "sidecar/launcher/launcher.h"

/* Opens what egress serves with: needs the capabilities for the network. */
int serve_egress_prepare(Launcher *launcher, Error *error);
/* Starts it and gives it everything. Failures are logged and tried again later. */
void serve_start_egress(Launcher *launcher);
/* Messages are there, or its end. */
void serve_hear_egress(Launcher *launcher);
void serve_lose_egress(Launcher *launcher);
/* The containers have changed: and with them perhaps the policy of the pod. */
void serve_tell_policy(Launcher *launcher);
/* A policy as policy/flat.h packs it, and the hash of its text: in force from here on. `waits`:
 * what of it is not, for the audit, or NULL. -1 when the audit does not take its line: then nothing
 * has changed, and the caller tries again. */
int serve_set_policy(Launcher *launcher, const void *packed, size_t size,
        const uint8_t hash[static SHA256_SIZE], const char *waits);
