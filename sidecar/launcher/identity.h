/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who a session is. The numbers come from the hook's record, which read the container's own passwd
 * and group before the workload ran; nothing is looked up here.
 */
#include "base/error.h"
#include "sidecar/wire/record.h"

/* Refuses root and the sidecar's own ids (sidecar/wire/users.h) as uid, gid or group: ERROR_INPUT.
 */
int identity_check(const RecordIdentity *identity, Error *error);

/* Groups, gid and uid of the calling process, each for good; afterwards it has no capability in any
 * set and does not outlive its parent. The bounding set is the caller's to empty before. 0, or
 * -errno. */
int identity_take(const RecordIdentity *identity);
