/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Time that never goes back, for deadlines and ages. */
#include <stdint.h>
#include <time.h>

static inline int64_t clock_milliseconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline int64_t clock_seconds(void) {
        return clock_milliseconds() / 1000;
}
