/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The launcher's children: roles, keepers, and what a killed keeper left. */
#include "sidecar/launcher/launcher.h"

/* SIGCHLD came: takes every child that has ended. */
void reap_children(Launcher *launcher);
/* Ends what killed keepers left, as far as it can be seen now; buries their sessions when nothing
 * more is seen. */
void reap_orphans(Launcher *launcher);
