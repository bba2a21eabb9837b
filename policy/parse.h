/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A policy file -> Policy. Strict: what this build does not know or cannot keep is an error at its
 * line and column; what loads without effect is a finding of the policy. Memory is bounded (16 MiB
 * for a file of the largest size, libyaml included); nothing is opened, so that it runs in a jail
 * (base/jail.h).
 */
#include <stddef.h>

#include "policy/diagnostic.h"
#include "policy/policy.h"

/* 0, or -1 with at least one diagnostic, sorted by position. */
int policy_parse(const char *text, size_t size, Policy **ret_policy, Diagnostics *diagnostics);
