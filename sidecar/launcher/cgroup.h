/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The workload's cgroups, as descriptors of their cgroup.procs that the hook opened on the host. */
#include <stddef.h>
#include <stdint.h>

/* Moves the calling process into all of them. 0, or -errno with the index of the one at fault. */
int cgroup_join(const int *fds, size_t count, uint32_t *ret_index);
