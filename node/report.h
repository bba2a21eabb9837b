/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Report: keeps the label of one node true. Sandboxed pods are scheduled to nodes with the label
 * (RuntimeClass.scheduling), so it must mean that a sandboxed pod really runs here:
 *
 *   1. the kubelet names our handler among the runtime's: the runtime has loaded it;
 *   2. the canary, a sandboxed pod of ours on this node that was started after us, is ready: the
 * hook ran, the sidecar found its workload.
 */
#include <stdbool.h>

#include "base/error.h"
#include "node/readiness.h"
#include "node/request.h"

#define REPORT_LABEL "navigator.sandbox/ready"

typedef struct Report {
        Server server;
        const char *node;
        const char *namespace; /* of the canary */
        const char
                *ready_file; /* exists while the label is set: what the readiness probe looks at */
        char old_canary[READINESS_UID_MAX]; /* the one that ran before us proves nothing about what
                                               was just installed */
        bool is_fresh;                      /* a canary other than that one has been seen */
        unsigned failures; /* rounds in a row in which a labelled node was not ready */
} Report;

/* Has the canary of this node start anew. */
int report_begin(Report *report, Error *error);

/* One look; sets or removes the label when that is due. *ret_ready: the node is labelled now. */
int report_round(Report *report, bool *ret_ready, Error *error);
