/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Confine: what the gateway gives up by itself, whatever the launcher has taken already. */
#include "base/error.h"

/* First thing in main: not dumpable (nobody with our uid may look into our memory or descriptors),
 * no core, as many descriptors as allowed. */
int confine_first(Error *error);

/* For good, when everything is open: no new privileges, no file and no new network by Landlock, an
 * allow-list of system calls. */
int confine_for_good(Error *error);
