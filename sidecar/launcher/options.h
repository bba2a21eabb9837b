/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The command line of navigator-sidecar; docs/man/navigator-sidecar.8.md describes it. */
#include <stdint.h>

#include "base/error.h"

#define OPTIONS_PORT_DEFAULT 8443
#define OPTIONS_TLS_DIRECTORY_DEFAULT "/etc/navigator-gateway"
#define OPTIONS_GATEWAY_DEFAULT "/usr/libexec/navigator/navigator-gateway"
#define OPTIONS_POLICY_DIRECTORY_DEFAULT "/run/navigator-policy"
#define OPTIONS_EGRESS_DEFAULT "/usr/libexec/navigator/navigator-egress"

typedef struct Options {
        uint16_t port;                /* of the exec endpoint */
        const char *tls_directory;    /* tls.crt, tls.key, token */
        const char *socket_directory; /* launcher.sock, exec.sock */
        const char *gateway, *egress; /* paths of the executables */
        const char *policy_directory; /* the policy volume of the pod, where it has one */
        const char *audit;            /* path of a file; NULL: standard output */
} Options;

/* 0; 1: help or version was printed, the program ends well; -1: ERROR_INPUT. Strings are borrowed
 * from the arguments. */
int options_parse(int argc, char **argv, Options *ret_options, Error *error);
