/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Restart: makes a container runtime read its configuration again. Its containers run on: they hang
 * on their shims.
 *
 * No program of the node is called. The process that listens on the runtime's socket is asked to
 * end, and whoever supervises it there starts it again (containerd's, CRI-O's, k3s' and rke2's
 * units all say Restart=always).
 */
#include <stdbool.h>
#include <time.h>

#include "base/error.h"

/* True in *ret_stale when the runtime behind `socket` (below root) was started before `changed`.
 * Needs the host's pid namespace. */
int runtime_is_older(
        int root, const char *socket, struct timespec changed, bool *ret_stale, Error *error);

/* Ends the runtime and waits until its successor accepts on the socket; ERROR_OS when none does
 * within `seconds`. */
int runtime_restart(int root, const char *socket, unsigned seconds, Error *error);
