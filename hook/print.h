/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Print: the registrations of the hook with container engines. */
#include <stdio.h>

#include "base/error.h"

/* "podman" and "crio": a file for hooks.d. "containerd": the runtime handler, TOML.
 * "containerd-spec": the base_runtime_spec that handler names, made from the output of `ctr oci
 * spec` on `input`. `program` is the absolute path of the hook. ERROR_INPUT for another engine. */
int print_config(const char *engine, const char *program, FILE *input, FILE *output, Error *error);
