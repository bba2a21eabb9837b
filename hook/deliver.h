/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Deliver: hands a registered container to its pod's sidecar: the record, a pidfd of its init, its
 * cgroups, in one message over the launcher's socket (sidecar/wire/record.h,
 * docs/formats/record.md).
 *
 * The socket lies on a tmpfs that only the sidecar sees; we reach it through the sidecar's root,
 * and believe nothing there but the inode of the directory that we mounted ourselves. Whoever
 * listens must be in the container's own network namespace: a pod is that namespace.
 */
#include "base/error.h"

#define DELIVER_NOBODY 1

/* Sends one record (`file` of the pod's directory). DELIVER_NOBODY when no sidecar of the pod
 * listens, or the container has ended. */
int deliver_record(int proc, int pod, const char *file, Error *error);

/* Leaves a process of its own that sends every record of the pod once the sidecar listens, and ends
 * then, or with the sidecar, or after half a minute. It holds none of our descriptors: a runtime
 * waits for the end of the hook's standard error. */
int deliver_later(int proc, int pod, Error *error);
