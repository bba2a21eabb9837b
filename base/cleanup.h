/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ownership by scope: a variable marked cleanup(fn) is destroyed when it leaves its block, take_*() hands it on.
 *
 * A function with cleanup variables has no goto. Destructors take the empty value and return it.
 */
#include <stdlib.h>

#define cleanup(fn) __attribute__((__cleanup__(fn)))

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a type cannot be put in parentheses */
#define DEFINE_CLEANUP(type, fn) static inline void fn##p(type *p) { *p = fn(*p); } struct fn##_end

#define take(var, empty) __extension__({ __typeof__(var) *take_p = &(var); \
        __typeof__(var) take_v = *take_p; *take_p = (empty); take_v; })
#define take_ptr(var) take(var, NULL)
#define take_fd(var) take(var, -1)

static inline void cleanup_freep(void *p) {
        free(*(void **)p);
}
#define cleanup_free cleanup(cleanup_freep)

void cleanup_closep(const int *fd); /* fd.c; -1 is the empty value */
#define cleanup_fd cleanup(cleanup_closep)
