/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Confine: what a process that reads strangers' bytes gives up by itself, whatever whoever started
 * it has taken already. */
#include "base/error.h"

/* First thing in main: not dumpable (nobody with our uid may look into our memory or descriptors),
 * no core, as many descriptors as allowed. */
int confine_first(Error *error);

/* What the process keeps of files and network. */
typedef struct ConfineNeeds {
        int credentials;     /* a directory to read from; -1: no files at all */
        unsigned short port; /* to connect to, on any address; 0: no new connections at all */
} ConfineNeeds;

/* For good, when everything is open: no new privileges, no file and no new network by Landlock but
 * what is needed, an allow-list of system calls. */
int confine_for_good(const ConfineNeeds *needs, Error *error);
