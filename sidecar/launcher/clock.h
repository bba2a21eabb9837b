/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Deadlines are points of CLOCK_MONOTONIC in milliseconds. */
#include <stdint.h>
#include <time.h>

static inline int64_t clock_milliseconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
