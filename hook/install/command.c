/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/install/command.h"

#include "base/log.h"
#include "hook/install/install.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2
#define SELF "/proc/self/exe"

static const char help[] =
        "Usage: navigator-hook install|uninstall [OPTION...]\n"
        "\n"
        "Puts this hook on a node and registers it with the node's container runtime; takes away\n"
        "what it put there. Needs root, and the node's pid namespace.\n"
        "\n"
        "  --root DIR        where the node's root directory is (default: /)\n"
        "  --directory DIR   on the node: where the hook goes (default: /opt/navigator)\n"
        "  --settings DIR    node.json, ceiling.yaml, certificate-authorities.pem and\n"
        "                    policies/NAME.yaml (default: /settings)\n"
        "  --base-spec FILE  the OCI specification of containerd's handler\n"
        "                    (default: /usr/share/navigator/containerd-spec.json)\n"
        "  --no-restart      leave the runtime's restart to somebody else\n"
        "  --help            this text\n";

enum {
        OPTION_ROOT = 1,
        OPTION_DIRECTORY,
        OPTION_SETTINGS,
        OPTION_BASE_SPEC,
        OPTION_NO_RESTART,
        OPTION_HELP
};

static const struct option options[] = {
        { "root", required_argument, NULL, OPTION_ROOT },
        { "directory", required_argument, NULL, OPTION_DIRECTORY },
        { "settings", required_argument, NULL, OPTION_SETTINGS },
        { "base-spec", required_argument, NULL, OPTION_BASE_SPEC },
        { "no-restart", no_argument, NULL, OPTION_NO_RESTART },
        { "help", no_argument, NULL, OPTION_HELP },
        { NULL, 0, NULL, 0 },
};

static const char *const outcomes[] = {
        [INSTALL_DONE] = "done",
        [INSTALL_RESTART_WANTED] =
                "the files are there; restart the container runtime to load them",
        [INSTALL_RESTARTED] = "done; the container runtime was restarted to load the handler",
        [INSTALL_KEPT] = "sandboxed pods run here: the hook stays for them; repeat when they are gone",
};

/* 0, or the exit code to leave with, plus one. */
static int read_options(int argc, char **argv, InstallOptions *ret_options) {
        int option;

        optind = 1;
        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (option) {
                case OPTION_ROOT:
                        ret_options->root = optarg;
                        break;
                case OPTION_DIRECTORY:
                        ret_options->directory = optarg;
                        break;
                case OPTION_SETTINGS:
                        ret_options->settings = optarg;
                        break;
                case OPTION_BASE_SPEC:
                        ret_options->base_spec = optarg;
                        break;
                case OPTION_NO_RESTART:
                        ret_options->restart = false;
                        break;
                case OPTION_HELP:
                        return (fputs(help, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS) + 1;
                default:
                        return EXIT_USAGE + 1;
                }
        }
        return optind == argc ? 0 : EXIT_USAGE + 1;
}

int install_command(int argc, char **argv) {
        InstallOptions chosen = {
                .root = "/",
                .directory = "/opt/navigator",
                .program = SELF,
                .base_spec = "/usr/share/navigator/containerd-spec.json",
                .settings = "/settings",
                .restart = true,
        };
        Error error = { 0 };
        int r = read_options(argc, argv, &chosen);

        if (r > 0)
                return r - 1;
        r = strcmp(argv[0], "install") == 0 ? install_node(&chosen, &error)
                                            : uninstall_node(&chosen, &error);
        if (r < 0) {
                (void)log_error(&error, "%s", argv[0]);
                return EXIT_FAILURE;
        }
        log_line(LOG_LEVEL_INFO, "%s: %s", argv[0], outcomes[r]);
        return EXIT_SUCCESS;
}
