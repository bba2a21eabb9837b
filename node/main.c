/* SPDX-License-Identifier: Apache-2.0 */

/*
 * navigator-node: the node part that speaks to the API server, so that the hook, which is root on
 * the node, need not. It holds no privilege: a service account that may label nodes (a policy of
 * the chart: its own node, this label) and restart canaries.
 */
#include "base/log.h"
#include "node/report.h"
#include "node/retire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PROGRAM "navigator-node"
#define EXIT_USAGE 2
#define READY_FILE "/run/navigator-node/ready"
#define SECONDS_UNREADY 2
#define SECONDS_READY 60
#define RETIRE_SECONDS 120

static const char help[] =
        "Usage: navigator-node report|check|retire|canary\n"
        "\n"
        "  report  keep the label navigator.sandbox/ready of the node NODE_NAME true, until told\n"
        "          to end; NAMESPACE is where the canary runs\n"
        "  check   exit 0 while that label is set: the readiness probe\n"
        "  retire  have the hook taken off all nodes, before the release is uninstalled\n"
        "  canary  do nothing, in a sandbox, until told to end\n"
        "\n"
        "  -h, --help     this text\n"
        "  -V, --version  the version\n";

static sigset_t end_signals(void) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGTERM);
        return signals;
}

/* True when told to end meanwhile. The signals are blocked: they wait for us here. */
static bool told_to_end(time_t seconds) {
        const struct timespec wait = { .tv_sec = seconds };
        sigset_t signals = end_signals();

        return sigtimedwait(&signals, NULL, &wait) > 0;
}

static const char *setting(const char *name) {
        const char *value = getenv(name);

        if (value == NULL || value[0] == '\0')
                log_line(LOG_LEVEL_ERROR, "%s is not set", name);
        return value;
}

static int run_report(Server server) {
        Report state = { .server = server,
                .node = setting("NODE_NAME"),
                .namespace = setting("NAMESPACE"),
                .ready_file = READY_FILE };
        bool ready = false, before = false;
        Error error = { 0 }, said = { 0 };

        if (state.node == NULL || state.namespace == NULL)
                return EXIT_USAGE;
        while (report_begin(&state, &error) < 0) {
                (void)log_error(&error, "starting the canary anew");
                if (told_to_end(SECONDS_UNREADY))
                        return EXIT_SUCCESS;
        }
        do {
                error = (Error){ 0 };
                if (report_round(&state, &ready, &error) < 0)
                        ready = false;
                if (error.kind != 0 &&
                        strcmp(error.text, said.text) != 0) /* once, not in every round */
                        (void)log_error(&error, "node %s", state.node);
                else if (ready != before)
                        log_line(LOG_LEVEL_INFO,
                                ready ? "node %s is ready for sandboxed pods"
                                      : "node %s is not ready: its canary is not",
                                state.node);
                said = error;
                before = ready;
        } while (!told_to_end(ready ? SECONDS_READY : SECONDS_UNREADY));
        return EXIT_SUCCESS;
}

static int run_retire(Server server) {
        Retire job = {
                .server = server, .namespace = setting("NAMESPACE"), .seconds = RETIRE_SECONDS
        };
        Error error = { 0 };

        if (job.namespace == NULL)
                return EXIT_USAGE;
        if (retire(&job, &error) < 0) {
                (void)log_error(&error, "taking the hook off the nodes");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

static int run_with_server(int (*verb)(Server)) {
        char address[256];
        Error error = { 0 };
        Server server;

        if (server_from_environment(address, &server, &error) < 0) {
                (void)log_error(&error, "starting");
                return EXIT_FAILURE;
        }
        return verb(server);
}

static int run_canary(void) {
        sigset_t signals = end_signals();
        int signal;

        return sigwait(&signals, &signal) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
        const char *verb = argc == 2 ? argv[1] : "";
        sigset_t signals = end_signals();
        struct stat status;

        log_open(PROGRAM, LOG_LEVEL_INFO);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return EXIT_FAILURE;
        if (strcmp(verb, "report") == 0)
                return run_with_server(run_report);
        if (strcmp(verb, "retire") == 0)
                return run_with_server(run_retire);
        if (strcmp(verb, "check") == 0)
                return stat(READY_FILE, &status) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        if (strcmp(verb, "canary") == 0)
                return run_canary();
        if (strcmp(verb, "-V") == 0 || strcmp(verb, "--version") == 0)
                return puts(PROGRAM " " NAVIGATOR_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
        if (strcmp(verb, "-h") == 0 || strcmp(verb, "--help") == 0)
                return fputs(help, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
        (void)fputs(help, stderr);
        return EXIT_USAGE;
}
