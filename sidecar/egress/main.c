/* SPDX-License-Identifier: Apache-2.0 */

/*
 * navigator-egress: decides where programs of the sandbox may connect to, and connects them.
 * Started by navigator-sidecar with its socket as descriptor 3; it has no capability and opens
 * nothing but connections. docs/man/navigator-egress.8.md.
 */
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "sidecar/egress/confine.h"
#include "sidecar/egress/egress.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_options(int argc, char **argv, EgressOptions *options, Error *error) {
        static const struct option known[] = {
                { "own-port", required_argument, NULL, 'p' },
                { "resolv-conf", required_argument, NULL, 'r' },
                { NULL, 0, NULL, 0 },
        };
        uint64_t port;
        int letter;

        while ((letter = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                if (letter == 'r') {
                        options->resolv_conf = optarg;
                } else if (letter != 'p') {
                        return error_set(error, ERROR_INPUT, 0, "an unknown option");
                } else if (options->own_port_count == EGRESS_OWN_PORTS_MAX ||
                           !number_parse(optarg, strlen(optarg), UINT16_MAX, &port) || port == 0) {
                        return error_set(error, ERROR_INPUT, 0,
                                "--own-port: '%s' is no port, or there are too many", optarg);
                } else {
                        options->own_ports[options->own_port_count++] = (uint16_t)port;
                }
        }
        return optind < argc ? error_set(error, ERROR_INPUT, 0, "'%s' is no option", argv[optind])
                             : 0;
}

static int serve(const EgressOptions *options, Error *error) {
        cleanup(egress_freep) Egress *egress = NULL;

        if (egress_new(WIRE_CONTROL_FD, options, &egress, error) < 0)
                return -1;
        /* After the libraries have read their files, before the first byte of anybody else. */
        if (confine(error) < 0)
                return -1;
        memory_let_go_of_code();
        return egress_run(egress, error);
}

int main(int argc, char **argv) {
        EgressOptions options = { 0 };
        Error error = { 0 };

        log_open("navigator-egress", LOG_LEVEL_INFO);
        (void)signal(SIGPIPE, SIG_IGN); /* splice(2) has no MSG_NOSIGNAL */
        if (parse_options(argc, argv, &options, &error) < 0 || serve(&options, &error) < 0) {
                (void)log_error(&error, "cannot go on");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
