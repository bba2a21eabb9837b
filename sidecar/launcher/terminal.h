/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A pseudo-terminal of the workload's own devpts, so that the session's `tty` names a device that
 * it can see. */
#include <stdint.h>
#include <sys/types.h>

/* Called inside the workload's root, with capabilities. The slave belongs to uid. Both descriptors
 * are O_CLOEXEC and the caller's. 0, or -errno: ENODEV when /dev/pts is not a devpts. */
int terminal_open(uint16_t rows, uint16_t columns, uid_t uid, int *ret_master, int *ret_slave);
/* Starts a session with it as the controlling terminal, or without one (-1). 0, or -errno. */
int terminal_control(int slave);
