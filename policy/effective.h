/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The list of paths that a session gets: the author's (or the default's), the working directory,
 * the baseline, within the ceiling. Pure. */
#include "base/error.h"
#include "policy/policy.h"

/* *ret_paths is malloc'ed and sorted by path, a path once; its strings are borrowed from policy and
 * workdir, or constant. `workdir` is absolute and normal; NULL means POLICY_WORKDIR. The caller
 * looks what exists: of an item with must_exist a missing path is an error (or, under best_effort,
 * a finding), of another it is nothing.
 *
 * Refused with ERROR_INPUT: a read-only path that an author wrote below a read-write one, which
 * Landlock alone cannot enforce. */
int policy_effective_paths(const Policy *policy, const char *workdir, PolicyPath **ret_paths,
        uint32_t *ret_count, Error *error);
