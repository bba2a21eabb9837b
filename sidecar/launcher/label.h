/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The label that a security module gives a session. A session keeps the sidecar's: no_new_privs
 * forbids to change it on execve, and in a pod both are the same unless somebody gave one container
 * another profile.
 */
#include "sidecar/wire/record.h"

/* "" when sessions have the label that the runtime gave the workload, or the node has no such
 * module; else what is different, for the session's status. Constant text. */
const char *label_difference(int proc_fd, const Record *record);
