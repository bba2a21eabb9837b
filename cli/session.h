/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A session over the gateway's local socket: what our standard streams carry goes into the sandbox
 * and comes out of it, until the program there has ended.
 */
#include <stdbool.h>

#include "base/error.h"

typedef struct SessionRequest {
        const char *socket_path;
        const char *container; /* NULL: the pod's default */
        const char *directory; /* NULL: the default */
        const char *timeout;   /* seconds; NULL: none */
        bool terminal;         /* with a terminal there; ours is put into raw mode meanwhile */
        bool as_given;         /* no login shell around it */
        char *const *arguments;
} SessionRequest;

/* Runs it to its end. *ret_exit_code is the program's. -1: there was no session, or its end was not
 * told. */
int session_run(const SessionRequest *request, int *ret_exit_code, Error *error);
