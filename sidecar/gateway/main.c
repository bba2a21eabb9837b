/* SPDX-License-Identifier: Apache-2.0 */

/* navigator-gateway: speaks to clients, holds nothing. Started by navigator-sidecar with its
 * control socket; see gateway.h. */
#include "base/fd.h"
#include "base/log.h"
#include "http/confine.h"
#include "sidecar/gateway/gateway.h"
#include "sidecar/wire/wire.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int check_control_socket(Error *error) {
        int type = 0;
        socklen_t size = sizeof(type);

        if (getsockopt(WIRE_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
                type != SOCK_SEQPACKET)
                return error_set(error, ERROR_INPUT, 0,
                        "descriptor %d is not the launcher's socket: this program is started by "
                        "navigator-sidecar",
                        WIRE_CONTROL_FD);
        (void)fd_set_cloexec(WIRE_CONTROL_FD, 1);
        (void)fd_set_nonblocking(WIRE_CONTROL_FD);
        return 0;
}

static int run(Error *error) {
        struct event_base *loop = event_base_new();
        Gateway *gateway = NULL;
        int r = -1;

        if (loop == NULL)
                return error_set(error, ERROR_OS, 0, "cannot make an event loop");
        if (gateway_new(loop, WIRE_CONTROL_FD, confine_for_good, &gateway, error) == 0)
                r = gateway_run(gateway, error);
        (void)gateway_free(gateway);
        event_base_free(loop);
        libevent_global_shutdown();
        return r;
}

int main(int argc, char **argv) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        Error error = { 0 };

        log_open("navigator-gateway", LOG_LEVEL_INFO);
        if (argc > 1)
                return (void)fprintf(stderr,
                               "navigator-gateway takes no arguments; see navigator-gateway(8)\n"),
                       2;
        (void)sigaction(SIGPIPE, &ignore, NULL); /* a client that has left is an EPIPE */
        if (confine_first(&error) < 0 || check_control_socket(&error) < 0 || run(&error) < 0) {
                (void)log_error(&error, "cannot serve");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
