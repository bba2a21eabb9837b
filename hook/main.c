/* SPDX-License-Identifier: Apache-2.0 */

/*
 * navigator-hook: started by a container runtime as root on the node, once for each container that
 * is created and once when it is gone.
 *
 * It takes nothing from its surroundings: the environment is emptied, descriptors other than the
 * standard three are closed, and the program is static, so that no library, locale or name service
 * of anybody is loaded.
 */
#include "base/log.h"
#include "base/syscalls.h"
#include "hook/hook.h"
#include "hook/install/command.h"
#include "hook/print.h"
#include "hook/run.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAM "navigator-hook"
#define EXIT_USAGE 2

static const char help[] =
        "Usage: navigator-hook [--config FILE] < STATE\n"
        "       navigator-hook print-config podman|crio|containerd\n"
        "       ctr oci spec | navigator-hook print-config containerd-spec\n"
        "       navigator-hook install|uninstall [OPTION...]\n"
        "\n"
        "The OCI runtime hook of Navigator. Container runtimes start it at createRuntime (or\n"
        "prestart) and at poststop, with the container's state on standard input.\n"
        "\n"
        "  -c, --config FILE  the node's configuration (default: " NODE_CONFIG_PATH ")\n"
        "  -h, --help         this text\n"
        "  -V, --version      the version\n"
        "\n"
        "print-config writes the registration of the hook with a container engine to standard\n"
        "output. install puts the hook on a node and does the registration itself; its own --help\n"
        "has the options. See navigator-hook(8).\n";

static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
};

/* A runtime may start us with a standard descriptor closed: the next open() would take its number.
 */
static int settle(void) {
        for (int fd = 0; fd < 3; fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
                        return -1;
        if (sys_close_range(3, ~0U, 0) < 0 || clearenv() != 0)
                return -1;
        (void)umask(022);
        return 0;
}

static int run(const char *config) {
        cleanup(hook_freep) Hook hook = HOOK_NONE;
        Error error = { 0 };

        hook.input = STDIN_FILENO;
        hook.node_path = config;
        if (run_hook(&hook, &error) >= 0)
                return EXIT_SUCCESS;
        hook_report(&hook, &error);
        return EXIT_FAILURE;
}

static int print(const char *engine) {
        char program[PATH_MAX];
        ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
        Error error = { 0 };

        if (size < 0) {
                log_line(LOG_LEVEL_ERROR, "cannot find out the path of this program");
                return EXIT_FAILURE;
        }
        program[size] = '\0';
        if (print_config(engine, program, stdin, stdout, &error) < 0) {
                log_line(LOG_LEVEL_ERROR, "%s", error.text);
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

static int complain(void) {
        log_line(LOG_LEVEL_ERROR, "see '" PROGRAM " --help'");
        return EXIT_USAGE;
}

int main(int argc, char **argv) {
        const char *config = NULL;
        int option;

        log_open(PROGRAM, LOG_LEVEL_INFO);
        if (settle() < 0)
                return EXIT_FAILURE;
        while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
                switch (option) {
                case 'c':
                        config = optarg;
                        break;
                case 'h':
                        return fputs(help, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
                case 'V':
                        return puts(PROGRAM " " NAVIGATOR_VERSION) == EOF ? EXIT_FAILURE
                                                                          : EXIT_SUCCESS;
                default:
                        return complain();
                }
        }
        if (optind == argc)
                return run(config);
        if (optind == argc - 2 && strcmp(argv[optind], "print-config") == 0)
                return print(argv[optind + 1]);
        if (strcmp(argv[optind], "install") == 0 || strcmp(argv[optind], "uninstall") == 0)
                return install_command(argc - optind, argv + optind);
        return complain();
}
