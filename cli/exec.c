/* SPDX-License-Identifier: Apache-2.0 */

/*
 * In the sidecar's image bash, sh, tar, python3 and others are links to this program, so that
 * `kubectl exec POD -- bash` and `kubectl cp`, which reach the sidecar's container by default, land
 * in the sandbox.
 */
#include "cli/exec.h"

#include "cli/session.h"
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_PATH "/run/navigator/exec.sock"

static int run(const SessionRequest *request) {
        int exit_code = EXEC_NO_SESSION;
        Error error;

        if (session_run(request, &exit_code, &error) < 0)
                (void)fprintf(stderr, "navigator: %s\n", error.text);
        return exit_code;
}

static bool is_at_terminal(void) {
        return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static SessionRequest from_options(const Invocation *invocation) {
        const char *socket_path = verb_value(invocation, "socket");

        return (SessionRequest){
                .socket_path = socket_path != NULL ? socket_path : SOCKET_PATH,
                .container = verb_value(invocation, "container"),
                .terminal = is_at_terminal(),
        };
}

int exec_run(const Invocation *invocation) {
        SessionRequest request = from_options(invocation);

        request.directory = verb_value(invocation, "workdir");
        request.timeout = verb_value(invocation, "timeout");
        request.as_given = verb_value(invocation, "no-login") != NULL;
        request.terminal = request.terminal || verb_value(invocation, "tty") != NULL;
        request.arguments = invocation->arguments;
        return run(&request);
}

int shell_run(const Invocation *invocation) {
        static char shell[] = "bash";
        char *arguments[] = { shell, NULL };
        SessionRequest request = from_options(invocation);

        request.arguments = arguments;
        return run(&request);
}

/* The folder of the link says nothing about where the sandbox has the program. */
int exec_as_program(char **argv) {
        const SessionRequest request = {
                .socket_path = SOCKET_PATH,
                .terminal = is_at_terminal(),
                .arguments = argv,
        };
        char *slash = strrchr(argv[0], '/');

        if (slash != NULL)
                argv[0] = slash + 1;
        return run(&request);
}
