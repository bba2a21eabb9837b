/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Suggestion: the least that a policy has to say for attempts to be allowed, as YAML. A rule for
 * each program, or for those that went to the same places: the hosts and ports that they asked for,
 * no pattern, nothing more.
 */
#include <stddef.h>

#include "base/error.h"
#include "cli/attempts.h"

/* Those of the attempts that nothing speaks against; "" when there is none. Malloc'ed. */
int suggestion_write(const Attempts *attempts, char **ret_text, size_t *ret_size, Error *error);
