/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Record: puts together what the sidecar is told about a container (sidecar/wire/record.h). */
#include "base/error.h"
#include "hook/cgroup.h"
#include "hook/hook.h"
#include "hook/plan.h"
#include "hook/source.h"
#include "sidecar/wire/record.h"

/* Everything in *ret_record is borrowed from the arguments. `environment` is what sessions start
 * from, `root` the rootfs directory. */
int record_fill(const Hook *hook, const Source *policy, const Plan *plan, const char **environment,
        RecordInode root, const Cgroups *cgroups, Record *ret_record, Error *error);
