/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A kind of run that the stopwatch can take the time of. prepare() is what a caller has before it
 * begins, and is not on the clock: the connection of a client, its TLS handshake. run() is: from
 * the request to the exit code. forget() comes after both.
 */
#include "base/error.h"

typedef struct Options Options;
typedef struct Run Run;

typedef struct Kind {
        const char *name;
        int (*prepare)(const Options *options, Run **ret_run, Error *error);
        int (*run)(Run *run, int *ret_code, Error *error);
        Run *(*forget)(Run *run); /* takes NULL */
} Kind;

extern const Kind kind_spawn;     /* a process of this machine: posix_spawn() and waitpid() */
extern const Kind kind_session;   /* a session of the gateway: Kubernetes exec over WebSocket */
extern const Kind kind_multiplex; /* a session of OpenSSH's sshd, through the control socket of an
                                     ssh that is connected */
