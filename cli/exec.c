/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A session from inside the sidecar's container, where `kubectl exec POD -c navigator` comes out.
 * The socket is this pod's gateway; reaching it takes a process in this container, which the API
 * server has authorised.
 */
#include "cli/exec.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "cli/exec_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_DEFAULT "/run/navigator/exec.sock"
#define EXIT_OURS 125 /* no program ran: what env(1) and others say then */
#define HOST_NAME_MAX_SIZE 254

static int connect_gateway(const char *path, int *ret_fd, Error *error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(error, ERROR_LIMIT, 0, "'%s' is too long for a socket", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot reach the sandbox at '%s': this works inside the sidecar's "
                        "container, "
                        "kubectl exec -it POD -c navigator -- bash",
                        path);
        *ret_fd = take_fd(fd);
        return 0;
}

/* The pod this is: what admission tells the sidecar, or podman's host name. */
static const char *choose(const char *variable, const char *otherwise) {
        const char *value = getenv(variable);

        return value != NULL && value[0] != '\0' ? value : otherwise;
}

static int run(ExecRequest *request, const char *path) {
        char host[HOST_NAME_MAX_SIZE] = "localhost";
        Error error = { 0 };
        int fd, code;

        (void)gethostname(host, sizeof(host) - 1);
        request->pod_namespace = choose("POD_NAMESPACE", "default");
        request->pod = choose("POD_NAME", host);
        code = connect_gateway(path, &fd, &error);
        if (code == 0)
                code = exec_stream_run(fd, request, &error);
        if (code >= 0)
                return code;
        (void)fprintf(stderr, "navigator: %s\n", error.text);
        return EXIT_OURS;
}

static bool is_at_terminal(void) {
        return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int exec_run(const Invocation *invocation) {
        const char *path = verb_value(invocation, "socket");
        const char *container = verb_value(invocation, "container");
        ExecRequest request = {
                .container = container != NULL ? container : "",
                .arguments = invocation->arguments,
                .terminal = verb_value(invocation, "tty") != NULL || is_at_terminal(),
                .login = verb_value(invocation, "no-login") == NULL,
        };

        return run(&request, path != NULL ? path : SOCKET_DEFAULT);
}

int exec_by_name(int argc, char **argv) {
        const char *slash = strrchr(argv[0], '/');
        ExecRequest request = {
                .container = "", .arguments = argv, .terminal = is_at_terminal(), .login = true
        };

        if (slash != NULL)
                argv[0] += slash - argv[0] + 1;
        return run(&request, SOCKET_DEFAULT);
}
