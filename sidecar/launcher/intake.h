/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Containers that come and go: from the hook's message to the end of their sessions. */
#include "sidecar/launcher/launcher.h"

#define INTAKE_TARGETS_MAX 64U

/* A hook's connection is readable. */
void intake_receive(Launcher *launcher, size_t connection);
/* Looks at all targets: which have become enterable, which have gone; forgets those that nobody
 * needs. */
void intake_refresh(Launcher *launcher);
