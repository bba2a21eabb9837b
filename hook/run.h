/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Run: the steps of the hook, from the state on its standard input to a container that may run. */
#include "base/error.h"

struct Hook;

#define RUN_NOT_OURS 1

/* Stage prestart or createRuntime, where the container exists and runs nothing yet: a failure means
 * that it must not run. Stage poststop, told by the state: forgets the container. RUN_NOT_OURS when
 * it has no annotation of ours, or only holds a pod's namespaces. */
int run_hook(struct Hook *hook, Error *error);
