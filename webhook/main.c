/* SPDX-License-Identifier: Apache-2.0 */

/*
 * navigator-webhook: injects the sandbox into annotated pods where the API server cannot do it
 * itself (before Kubernetes 1.36). It runs as nobody, without a token, and decides nothing but what
 * a pod looks like: the refusals are the API server's own (ValidatingAdmissionPolicy).
 */
#include "base/log.h"
#include "base/number.h"
#include "http/confine.h"
#include "webhook/webhook.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "navigator-webhook"
#define EXIT_USAGE 2
#define PORT_MAX 65535U

static const char help[] =
        "Usage: navigator-webhook [OPTION...]\n"
        "\n"
        "The mutating webhook of Navigator, for clusters before Kubernetes 1.36.\n"
        "\n"
        "  -p, --port PORT          where to listen (default: 8443)\n"
        "  -s, --settings FILE      what to add to a pod (default: "
        "/etc/navigator-webhook/settings.json)\n"
        "  -c, --certificates DIR   tls.crt and tls.key (default: "
        "/run/navigator-webhook)\n"
        "  -h, --help               this text\n"
        "  -V, --version            the version\n"
        "\n"
        "See navigator-webhook(8).\n";

static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "settings", required_argument, NULL, 's' },
        { "certificates", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
};

static int serve(const WebhookOptions *chosen) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        cleanup(webhook_freep) Webhook *webhook = NULL;
        Error error = { 0 };

        (void)sigaction(SIGPIPE, &ignore, NULL); /* a client that has left is an EPIPE */
        json_object_seed(0); /* while there is still a file to read randomness from */
        if (confine_first(&error) < 0 || webhook_new(chosen, &webhook, &error) < 0 ||
                webhook_run(webhook, confine_for_good, &error) < 0) {
                (void)log_error(&error, "cannot serve");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

static int complain(const char *what) {
        log_line(LOG_LEVEL_ERROR, "%s; see '" PROGRAM " --help'", what);
        return EXIT_USAGE;
}

int main(int argc, char **argv) {
        WebhookOptions chosen = {
                .port = 8443,
                .settings = "/etc/navigator-webhook/settings.json",
                .certificates = "/run/navigator-webhook",
        };
        uint64_t port;
        int option;

        log_open(PROGRAM, LOG_LEVEL_INFO);
        while ((option = getopt_long(argc, argv, "p:s:c:hV", options, NULL)) != -1) {
                switch (option) {
                case 'p':
                        if (!number_parse(optarg, strlen(optarg), PORT_MAX, &port))
                                return complain("--port wants a number up to 65535");
                        chosen.port = (unsigned short)port;
                        break;
                case 's':
                        chosen.settings = optarg;
                        break;
                case 'c':
                        chosen.certificates = optarg;
                        break;
                case 'h':
                        return fputs(help, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
                case 'V':
                        return puts(PROGRAM " " NAVIGATOR_VERSION) == EOF ? EXIT_FAILURE
                                                                          : EXIT_SUCCESS;
                default:
                        return EXIT_USAGE;
                }
        }
        return optind == argc ? serve(&chosen) : complain("there are no arguments");
}
