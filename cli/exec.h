/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/verb.h"

int exec_run(const Invocation *invocation);

/* In the sidecar's image the names of shells and tools are names of this program: run by one of
 * them, it runs that program in the sandbox. The exit code. */
int exec_by_name(int argc, char **argv);
