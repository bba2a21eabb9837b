/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* navigator policy VERB: one function and one file each. */
#include "cli/verb.h"

int policy_check(const Invocation *invocation);
int policy_show(const Invocation *invocation);
int policy_explain(const Invocation *invocation);
int policy_diff(const Invocation *invocation);
int policy_suggest(const Invocation *invocation);
int policy_preset(const Invocation *invocation);
