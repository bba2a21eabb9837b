/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Confine: what the gateway gives up by itself, whatever the launcher has taken already. */
#include "base/error.h"

/* First thing in main: not dumpable (nobody with our uid may look into our memory or descriptors),
 * no core, as many descriptors as allowed. */
int confine_first(Error *error);

/* What the role keeps of files and network, to ask the cluster who may (cluster.h). */
typedef struct ConfineNeeds {
        int credentials;     /* a directory to read from; -1: no files at all */
        unsigned short port; /* of the API server; 0: no new connections at all */
} ConfineNeeds;

/* For good, when everything is open: no new privileges, no file and no new network by Landlock but
 * what is needed, an allow-list of system calls. */
int confine_for_good(const ConfineNeeds *needs, Error *error);
