/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Users: the ids of the sidecar's processes inside its container.
 *
 * Who has the uid of a process may signal it and change its limits, without any capability. So
 * nobody else in a pod has one of these: the hook starts no workload as one, and neither hook nor
 * launcher lets a session be one, whatever an image's passwd or a policy says.
 */
#include <stdbool.h>
#include <stdint.h>

/* Of a uid and the gid of the same number. A role shares none with the launcher, another role, or
 * the sandbox user. */
#define LAUNCHER_UID 64700U
#define GATEWAY_UID 64701U
#define EGRESS_UID 64702U

static inline bool user_is_of_sidecar(uint32_t id) {
        return id >= LAUNCHER_UID && id <= EGRESS_UID;
}
