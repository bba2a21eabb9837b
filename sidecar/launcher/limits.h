/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Resource limits: the launcher's own, and a session's. Functions return 0 or -errno. */
#include <sys/resource.h>

#include "sidecar/wire/record.h"

/* Raises the soft limit of open files to the hard one; *ret_before is what it was, and what a
 * session gets where the record says nothing. */
int limits_raise_own(struct rlimit *ret_before);

/* The workload's limits, none above what this process holds; no core dumps. */
int limits_take(const RecordLimit *limits, uint32_t count, const struct rlimit *files);
