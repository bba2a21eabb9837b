/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/options.h"

#include "base/number.h"
#include "sidecar/wire/record.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
        "navigator-sidecar: holds the capabilities of a sandboxed pod's sidecar\n"
        "\n"
        "  --port N                 TCP port of the exec endpoint (8443)\n"
        "  --tls-directory DIR      tls.crt, tls.key and token of the exec endpoint "
        "(/etc/navigator-gateway);\n"
        "                           where it does not exist only the unix socket serves\n"
        "  --socket-directory DIR   where the node's hook and the local clients connect "
        "(/run/navigator)\n"
        "  --audit FILE             append audit lines to FILE instead of writing them to standard "
        "output\n"
        "  --gateway FILE           the gateway's executable "
        "(/usr/libexec/navigator/navigator-gateway)\n"
        "  --policy-directory DIR   the pod's policy volume, watched for changes "
        "(/run/navigator-policy)\n"
        "  --egress FILE            egress's executable (/usr/libexec/navigator/navigator-egress)\n"
        "  --help, --version        this text, the version\n"
        "\n"
        "It is the first process of its container, or it refuses to run.\n";

static const struct option known[] = {
        { "port", required_argument, NULL, 'p' },
        { "tls-directory", required_argument, NULL, 't' },
        { "socket-directory", required_argument, NULL, 's' },
        { "audit", required_argument, NULL, 'a' },
        { "gateway", required_argument, NULL, 'g' },
        { "egress", required_argument, NULL, 'e' },
        { "policy-directory", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
};

static int parse_port(const char *text, uint16_t *ret_port, Error *error) {
        uint64_t port;

        if (!number_parse(text, strlen(text), UINT16_MAX, &port) || port == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "--port takes a number from 1 to 65535, not '%s'", text);
        *ret_port = (uint16_t)port;
        return 0;
}

int options_parse(int argc, char **argv, Options *ret_options, Error *error) {
        Options options = {
                .port = OPTIONS_PORT_DEFAULT,
                .tls_directory = OPTIONS_TLS_DIRECTORY_DEFAULT,
                .socket_directory = RECORD_SOCKET_DIRECTORY,
                .gateway = OPTIONS_GATEWAY_DEFAULT,
                .egress = OPTIONS_EGRESS_DEFAULT,
                .policy_directory = OPTIONS_POLICY_DIRECTORY_DEFAULT,
        };
        int option;

        opterr = 0; /* the message is ours to give */
        while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
                switch (option) {
                case 'p':
                        if (parse_port(optarg, &options.port, error) < 0)
                                return -1;
                        break;
                case 't':
                        options.tls_directory = optarg;
                        break;
                case 's':
                        options.socket_directory = optarg;
                        break;
                case 'a':
                        options.audit = optarg;
                        break;
                case 'g':
                        options.gateway = optarg;
                        break;
                case 'd':
                        options.policy_directory = optarg;
                        break;
                case 'e':
                        options.egress = optarg;
                        break;
                case 'h':
                        (void)fputs(help, stdout);
                        return 1;
                case 'V':
                        (void)puts("navigator-sidecar " NAVIGATOR_VERSION);
                        return 1;
                default:
                        return error_set(error, ERROR_INPUT, 0,
                                "option '%s' is unknown or lacks its value; --help lists them",
                                argv[optind - 1]);
                }
        if (optind < argc)
                return error_set(error, ERROR_INPUT, 0, "unexpected argument '%s'", argv[optind]);
        *ret_options = options;
        return 0;
}
