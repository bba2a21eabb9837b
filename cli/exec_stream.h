/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ExecStream: one session, from the upgrade to its exit code: standard input, output and error of
 * this process are the program's.
 */
#include "base/error.h"
#include "cli/exec_request.h"

/* Asks on the connected socket (owned) and carries bytes until the session ends. The exit code of
 * the program, 0..255, or -1: no program ran, or its end was not told. */
int exec_stream_run(int socket, const ExecRequest *request, Error *error);
