/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A session has the limits of the workload, not those of the sidecar. Raising a hard limit would
 * need CAP_SYS_RESOURCE, which nothing here holds, so the sidecar container's limits bound the
 * workload's.
 *
 * A core dump of a session would put its memory where a policy has no say, hence none.
 */
#include "sidecar/launcher/limits.h"

#include <errno.h>

static rlim_t smaller(uint64_t wanted, rlim_t held) {
        return wanted < held ? (rlim_t)wanted
                             : held; /* RLIM_INFINITY is the largest number in both */
}

static int take_one(uint32_t resource, uint64_t soft, uint64_t hard) {
        struct rlimit held, limit;

        if (getrlimit(resource, &held) < 0)
                return -errno;
        limit.rlim_max = smaller(hard, held.rlim_max);
        limit.rlim_cur = smaller(soft, limit.rlim_max);
        return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int limits_raise_own(struct rlimit *ret_before) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, ret_before) < 0)
                return -errno;
        limit = *ret_before;
        limit.rlim_cur = limit.rlim_max;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int limits_take(const RecordLimit *limits, uint32_t count, const struct rlimit *files) {
        int r = take_one(RLIMIT_NOFILE, files->rlim_cur, files->rlim_max);

        for (uint32_t i = 0; r == 0 && i < count; i++)
                r = take_one(limits[i].resource, limits[i].soft, limits[i].hard);
        if (r == 0)
                r = take_one(RLIMIT_CORE, 0, 0);
        return r;
}
