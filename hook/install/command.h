/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The verbs `install` and `uninstall` of navigator-hook: options in, lines for the operator out.
 * Returns the exit code. */
int install_command(int argc, char **argv);
