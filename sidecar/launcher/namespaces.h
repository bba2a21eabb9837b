/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The namespaces of a workload: which of them are not ours already, and joining them. */
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "sidecar/wire/record.h"

/* The CLONE_NEW* flags of the mount, ipc, uts and cgroup namespaces of `pid` that differ from the
 * caller's. The mount namespace always does, or the target is refused (ERROR_DENIED); so is one in
 * another pid or user namespace. */
int namespaces_compare(int proc_fd, pid_t pid, int *ret_flags, Error *error);

/* Joins the sandbox network, then the namespaces in `flags` of the process that pidfd refers to. 0,
 * or -errno: ESRCH when it has ended. */
int namespaces_join(int network_fd, int pidfd, int flags);

/* Whether "/" is the directory that the record names: 0, -EXDEV when it is another, or -errno. */
int namespaces_check_root(RecordInode root);
