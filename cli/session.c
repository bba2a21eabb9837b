/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One poll loop over the socket, our standard input and SIGWINCH. Output is written as it comes,
 * and blocking: what our reader does not take is not taken from the socket either. Input is read
 * while less than INPUT_AHEAD_MAX of it waits to be sent.
 */
#include "cli/session.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/terminal.h"
#include "cli/upgrade.h"
#include "sidecar/gateway/remotecommand.h"
#include "sidecar/gateway/status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define INPUT_PIECE (32U * 1024U)
#define INPUT_AHEAD_MAX (128U * 1024U)
#define MESSAGE_MAX (1024U * 1024U) /* the gateway sends 32 KiB at most */

typedef struct Session {
        int socket;
        int window; /* signalfd of SIGWINCH; -1 without a terminal */
        wslay_event_context_ptr frames;
        char *early; /* came with the head, not given to wslay yet */
        size_t early_size;
        bool input_open;
        bool status_seen;
        bool socket_ended;
        RemoteStatus status;
        Error error; /* of a callback; kind 0: none */
} Session;

/* --- frames --- */

static ssize_t receive(
        wslay_event_context_ptr frames, uint8_t *data, size_t size, int flags, void *owner) {
        Session *session = owner;
        ssize_t n;

        if (session->early_size > 0) {
                size_t part = session->early_size < size ? session->early_size : size;

                memcpy(data, session->early, part);
                memmove(session->early, session->early + part, session->early_size - part);
                session->early_size -= part;
                return (ssize_t)part;
        }
        n = recv(session->socket, data, size, MSG_DONTWAIT);
        if (n > 0)
                return n;
        session->socket_ended = n == 0 || (errno != EAGAIN && errno != EINTR);
        wslay_event_set_error(
                frames, session->socket_ended ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
        return -1;
}

static ssize_t transmit(
        wslay_event_context_ptr frames, const uint8_t *data, size_t size, int flags, void *owner) {
        Session *session = owner;
        ssize_t n = send(session->socket, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0)
                return n;
        session->socket_ended = errno != EAGAIN && errno != EINTR;
        wslay_event_set_error(
                frames, session->socket_ended ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
        return -1;
}

static int make_mask(wslay_event_context_ptr frames, uint8_t *mask, size_t size, void *owner) {
        return getrandom(mask, size, 0) == (ssize_t)size ? 0 : -1;
}

static void take_output(Session *session, int fd, const uint8_t *data, size_t size) {
        int r = fd_write_full(fd, data, size);

        if (r < 0 && session->error.kind == 0)
                (void)error_set(
                        &session->error, ERROR_OS, -r, "cannot write what the program says");
}

static void take_message(wslay_event_context_ptr frames,
        const struct wslay_event_on_msg_recv_arg *message, void *owner) {
        Session *session = owner;
        const uint8_t *data = message->msg + 1;
        size_t size = message->msg_length - 1;

        if (wslay_is_ctrl_frame(message->opcode) || message->msg_length == 0)
                return;
        if (message->msg[0] == REMOTE_STDOUT)
                take_output(session, STDOUT_FILENO, data, size);
        else if (message->msg[0] == REMOTE_STDERR)
                take_output(session, STDERR_FILENO, data, size);
        else if (message->msg[0] == REMOTE_STATUS)
                session->status_seen = remote_status_parse((const char *)data, size,
                                               &session->status, &session->error) == 0;
}

static int send_message(Session *session, uint8_t channel, const void *data, size_t size) {
        uint8_t bytes[INPUT_PIECE + 1];
        const struct wslay_event_msg message = {
                .opcode = WSLAY_BINARY_FRAME,
                .msg = bytes,
                .msg_length = size + 1,
        };

        bytes[0] = channel;
        memcpy(bytes + 1, data, size);
        return wslay_event_queue_msg(session->frames, &message);
}

/* --- what we pass on --- */

static void pass_input(Session *session) {
        static const uint8_t channel = REMOTE_STDIN;
        uint8_t data[INPUT_PIECE];
        ssize_t n = read(STDIN_FILENO, data, sizeof(data));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n > 0) {
                (void)send_message(session, REMOTE_STDIN, data, (size_t)n);
                return;
        }
        session->input_open = false;
        (void)send_message(session, REMOTE_CLOSE, &channel, 1);
}

static void pass_size(Session *session) {
        TerminalSize size = terminal_size(STDIN_FILENO);
        char text[64];
        int n = snprintf(
                text, sizeof(text), "{\"Width\":%u,\"Height\":%u}", size.columns, size.rows);

        if (n > 0 && size.columns > 0)
                (void)send_message(session, REMOTE_RESIZE, text, (size_t)n);
}

static void pass_signal(Session *session) {
        struct signalfd_siginfo signal;

        if (read(session->window, &signal, sizeof(signal)) > 0)
                pass_size(session);
}

/* --- the loop --- */

static int wait_and_pass(Session *session) {
        struct pollfd waits[] = {
                { .fd = session->socket, .events = POLLIN },
                { .fd = -1, .events = POLLIN },
                { .fd = session->window, .events = POLLIN },
        };

        if (wslay_event_want_write(session->frames))
                waits[0].events |= POLLOUT;
        if (session->input_open &&
                wslay_event_get_queued_msg_length(session->frames) < INPUT_AHEAD_MAX)
                waits[1].fd = STDIN_FILENO;
        if (poll(waits, 3, -1) < 0)
                return errno == EINTR ? 0 : -1;
        if (waits[1].revents != 0)
                pass_input(session);
        if (waits[2].revents != 0)
                pass_signal(session);
        return 0;
}

static int pass_until_close(Session *session, Error *error) {
        bool open = true;

        while (open && session->error.kind == 0) {
                open = wslay_event_recv(session->frames) == 0 &&
                       wslay_event_send(session->frames) == 0 &&
                       !wslay_event_get_close_received(session->frames);
                if (open && session->error.kind == 0 && wait_and_pass(session) < 0)
                        return error_set(error, ERROR_OS, errno, "cannot wait for the session");
        }
        (void)wslay_event_send(session->frames); /* our Close */
        if (session->error.kind != 0) {
                *error = session->error;
                return -1;
        }
        if (!session->status_seen)
                return error_set(
                        error, ERROR_PEER, 0, "the connection ended before the session did");
        if (session->status.exit_code < 0)
                return error_set(error, ERROR_DENIED, 0, "%s", session->status.message);
        return 0;
}

static int run(Session *session, bool terminal, Error *error) {
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = receive,
                .send_callback = transmit,
                .genmask_callback = make_mask,
                .on_msg_recv_callback = take_message,
        };
        int r;

        if (wslay_event_context_client_init(&session->frames, &callbacks, session) != 0)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        wslay_event_config_set_max_recv_msg_length(session->frames, MESSAGE_MAX);
        if (terminal)
                pass_size(session);
        r = pass_until_close(session, error);
        wslay_event_context_free(session->frames);
        return r;
}

static int watch_window(int *ret_fd, Error *error) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGWINCH);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        *ret_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return *ret_fd >= 0 ? 0
                            : error_set(error, ERROR_OS, errno, "cannot watch the window's size");
}

static int run_in_terminal(Session *session, Error *error) {
        TerminalMode before;
        int r;

        if (watch_window(&session->window, error) < 0)
                return -1;
        terminal_make_raw(STDIN_FILENO, &before);
        r = run(session, true, error);
        terminal_restore(STDIN_FILENO, &before);
        return r;
}

int session_run(const SessionRequest *request, int *ret_exit_code, Error *error) {
        Session session = { .socket = -1, .window = -1, .input_open = true };
        int r;

        if (upgrade(request, &session.socket, &session.early, &session.early_size, error) < 0)
                return -1;
        r = request->terminal ? run_in_terminal(&session, error) : run(&session, false, error);
        (void)fd_close(session.socket);
        (void)fd_close(session.window);
        free(session.early);
        if (r == 0)
                *ret_exit_code = session.status.exit_code;
        return r;
}
