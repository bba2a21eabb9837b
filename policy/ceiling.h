/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The node's ceiling: a policy file that bounds every other. What is allowed is what both allow:
 * paths (effective.h intersects the two lists), hosts, ports and programs (decide.h asks both), the
 * stricter Landlock mode.
 *
 * A ceiling is a whole policy like any other: a section that it leaves out means the default of
 * that section, which for network_policies is nothing.
 */
#include "base/error.h"
#include "policy/policy.h"

/* A new policy, with a finding for each thing that the ceiling takes away. The two stay as they
 * are. ERROR_INPUT when `policy` is bounded already. */
int policy_bound(const Policy *policy, const Policy *ceiling, Policy **ret_policy, Error *error);
