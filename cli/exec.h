/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sessions in the sandbox, from within the sidecar's container. */
typedef struct Invocation Invocation;

/* What a session of ours ends with when there was none: as docker and podman have it. A program's
 * own code is passed on. */
#define EXEC_NO_SESSION 125

int exec_run(const Invocation *invocation);
int shell_run(const Invocation *invocation);

/* Called by the name of another program (bash, tar, python3, ...): that program is run in the
 * sandbox. */
int exec_as_program(char **argv);
