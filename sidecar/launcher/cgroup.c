/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The kernel checks a write to cgroup.procs against the credentials and the cgroup namespace of the
 * open, not of the write, so a descriptor from the host moves a process that could not have opened
 * the file itself. "0" is the writing process, in whatever pid namespace.
 */
#include "sidecar/launcher/cgroup.h"

#include <errno.h>
#include <unistd.h>

int cgroup_join(const int *fds, size_t count, uint32_t *ret_index) {
        for (size_t i = 0; i < count; i++) {
                *ret_index = (uint32_t)i;
                if (write(fds[i], "0", 1) != 1)
                        return errno != 0 ? -errno : -EIO;
        }
        return 0;
}
