/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A plain poll over the socket, standard input and the signal of a resized window. Input is read
 * only while little waits to be sent, so memory is bounded when the program does not read.
 *
 * The other side is the gateway on a socket of this container: the answer's Sec-WebSocket-Accept,
 * which proves a web server to a browser, proves nothing here and is not looked at.
 */
#include "cli/exec_stream.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/exec_status.h"
#include "cli/exec_terminal.h"
#include "sidecar/gateway/remotecommand.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define HEAD_SIZE_MAX 16384U
#define CHUNK 32768U
#define QUEUED_MAX (256U * 1024U)
#define RESIZE_JSON_MAX 64U
#define STATUS_SIZE_MAX 65536U
/* Any 16 bytes, base64: see the head of this file. */
#define KEY "bmF2aWdhdG9yLWV4ZWMtMQ=="

typedef struct ExecStream {
        int socket, window; /* window: signalfd of SIGWINCH */
        bool terminal, input_open, failed;
        wslay_event_context_ptr frames;
        char early[HEAD_SIZE_MAX]; /* what came behind the head of the answer */
        size_t early_size, early_at;
        char status[STATUS_SIZE_MAX];
        size_t status_size;
        bool has_status;
} ExecStream;

/* --- the upgrade --- */

/* Reads up to the empty line; the bytes behind it stay in `early`. Returns the size of the head, 0
 * at the end of the stream. */
static size_t read_head(ExecStream *stream, char head[static HEAD_SIZE_MAX + 1]) {
        size_t size = 0;

        while (size < HEAD_SIZE_MAX) {
                ssize_t n = recv(stream->socket, head + size, HEAD_SIZE_MAX - size, 0);
                char *end;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return 0;
                size += (size_t)n;
                head[size] = '\0';
                end = strstr(head, "\r\n\r\n");
                if (end != NULL) {
                        size_t head_size = (size_t)(end - head) + 4;

                        stream->early_size = size - head_size;
                        memcpy(stream->early, head + head_size, stream->early_size);
                        return head_size;
                }
        }
        return 0;
}

/* A refusal carries a Status document behind its head. */
static int refuse(ExecStream *stream, Error *error) {
        char message[ERROR_TEXT_MAX] = "";
        ssize_t n;

        while (stream->early_size < sizeof(stream->early) &&
                (n = recv(stream->socket, stream->early + stream->early_size,
                         sizeof(stream->early) - stream->early_size, 0)) > 0)
                stream->early_size += (size_t)n;
        (void)exec_status_read(stream->early, stream->early_size, message, sizeof(message));
        return error_set(error, ERROR_DENIED, 0, "%s",
                message[0] != '\0' ? message : "the session was refused without a reason");
}

static int upgrade(ExecStream *stream, const ExecRequest *request, Error *error) {
        static const char switching[] = "HTTP/1.1 101 ";
        cleanup_free char *head = NULL;
        char answer[HEAD_SIZE_MAX + 1];
        size_t size;
        int r;

        if (exec_request_write(request, KEY, &head, &size, error) < 0)
                return -1;
        r = fd_write_full(stream->socket, head, size);
        if (r < 0)
                return error_set(error, ERROR_PEER, -r, "cannot ask for a session");
        if (read_head(stream, answer) == 0)
                return error_set(error, ERROR_PEER, 0, "the sidecar ended the connection");
        if (strncmp(answer, switching, sizeof(switching) - 1) == 0)
                return 0;
        (void)shutdown(stream->socket, SHUT_WR);
        return refuse(stream, error);
}

/* --- frames --- */

static ssize_t receive(
        wslay_event_context_ptr frames, uint8_t *data, size_t size, int flags, void *owner) {
        ExecStream *stream = owner;
        size_t early = stream->early_size - stream->early_at;
        ssize_t n;

        if (early > 0) {
                n = (ssize_t)(early < size ? early : size);
                memcpy(data, stream->early + stream->early_at, (size_t)n);
                stream->early_at += (size_t)n;
                return n;
        }
        n = recv(stream->socket, data, size, MSG_DONTWAIT);
        if (n > 0)
                return n;
        wslay_event_set_error(frames, n < 0 && (errno == EAGAIN || errno == EINTR)
                                              ? WSLAY_ERR_WOULDBLOCK
                                              : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

static ssize_t transmit(
        wslay_event_context_ptr frames, const uint8_t *data, size_t size, int flags, void *owner) {
        ExecStream *stream = owner;
        ssize_t n = send(stream->socket, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0)
                return n;
        wslay_event_set_error(frames, errno == EAGAIN || errno == EINTR
                                              ? WSLAY_ERR_WOULDBLOCK
                                              : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

/* RFC 6455 wants a client's frames masked by something a web page cannot guess. */
static int make_mask(wslay_event_context_ptr frames, uint8_t *mask, size_t size, void *owner) {
        return getrandom(mask, size, 0) == (ssize_t)size ? 0 : -1;
}

static void take_message(wslay_event_context_ptr frames,
        const struct wslay_event_on_msg_recv_arg *message, void *owner) {
        ExecStream *stream = owner;
        const uint8_t *data = message->msg;
        size_t size = message->msg_length;

        if (wslay_is_ctrl_frame(message->opcode) || size < 1)
                return;
        if (data[0] == REMOTE_STDOUT || data[0] == REMOTE_STDERR) {
                if (fd_write_full(data[0] == REMOTE_STDOUT ? STDOUT_FILENO : STDERR_FILENO,
                            data + 1, size - 1) < 0)
                        stream->failed = true; /* nobody reads what we write */
        } else if (data[0] == REMOTE_STATUS && size - 1 < sizeof(stream->status)) {
                memcpy(stream->status, data + 1, size - 1);
                stream->status_size = size - 1;
                stream->has_status = true;
        }
}

static int open_frames(ExecStream *stream, Error *error) {
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = receive,
                .send_callback = transmit,
                .genmask_callback = make_mask,
                .on_msg_recv_callback = take_message,
        };

        if (wslay_event_context_client_init(&stream->frames, &callbacks, stream) != 0)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the session");
        return 0;
}

static int send_message(ExecStream *stream, uint8_t channel, const char *data, size_t size) {
        uint8_t bytes[CHUNK + 1];
        const struct wslay_event_msg message = {
                .opcode = WSLAY_BINARY_FRAME, .msg = bytes, .msg_length = size + 1
        };

        bytes[0] = channel;
        memcpy(bytes + 1, data, size);
        return wslay_event_queue_msg(stream->frames, &message);
}

/* --- carrying --- */

static int send_size(ExecStream *stream) {
        char json[RESIZE_JSON_MAX];

        return exec_terminal_size(json, sizeof(json))
                       ? send_message(stream, REMOTE_RESIZE, json, strlen(json))
                       : 0;
}

static int take_input(ExecStream *stream) {
        char data[CHUNK];
        ssize_t n = read(STDIN_FILENO, data, sizeof(data));
        char channel = REMOTE_STDIN;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0)
                return send_message(stream, REMOTE_STDIN, data, (size_t)n);
        stream->input_open = false;
        return send_message(stream, REMOTE_CLOSE, &channel, 1);
}

static int take_window(ExecStream *stream) {
        struct signalfd_siginfo signal;

        return read(stream->window, &signal, sizeof(signal)) < 0 ? 0 : send_size(stream);
}

static bool is_over(const ExecStream *stream) {
        return stream->failed || wslay_event_get_close_received(stream->frames) ||
               (!wslay_event_want_read(stream->frames) && !wslay_event_want_write(stream->frames));
}

static int carry_once(ExecStream *stream) {
        bool takes_input = stream->input_open &&
                           wslay_event_get_queued_msg_length(stream->frames) < QUEUED_MAX;
        struct pollfd polled[] = {
                { .fd = stream->socket,
                        .events = (short)(POLLIN |
                                          (wslay_event_want_write(stream->frames) ? POLLOUT : 0)) },
                { .fd = takes_input ? STDIN_FILENO : -1, .events = POLLIN },
                { .fd = stream->window, .events = POLLIN },
        };

        if (stream->early_at == stream->early_size && poll(polled, 3, -1) < 0)
                return errno == EINTR ? 0 : -1;
        if (polled[1].revents != 0 && take_input(stream) != 0)
                return -1;
        if (polled[2].revents != 0 && take_window(stream) != 0)
                return -1;
        if (wslay_event_send(stream->frames) != 0 || wslay_event_recv(stream->frames) != 0)
                return -1;
        return 0;
}

static int finish(const ExecStream *stream, Error *error) {
        char message[ERROR_TEXT_MAX] = "";
        int code;

        if (!stream->has_status)
                return error_set(error, ERROR_PEER, 0,
                        "the session ended without a word: was the sidecar ended?");
        code = exec_status_read(stream->status, stream->status_size, message, sizeof(message));
        return code >= 0 ? code : error_set(error, ERROR_DENIED, 0, "%s", message);
}

static int open_window(ExecStream *stream) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGWINCH);
        if (!stream->terminal || sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -1;
        return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int exec_stream_run(int socket, const ExecRequest *request, Error *error) {
        ExecStream stream = {
                .socket = socket, .terminal = request->terminal, .input_open = true, .window = -1
        };
        ExecTerminal terminal = { .raw = false };
        int r = upgrade(&stream, request, error);

        if (r == 0)
                r = open_frames(&stream, error);
        if (r == 0) {
                stream.window = open_window(&stream);
                if (stream.terminal)
                        exec_terminal_take(&terminal);
                if (stream.terminal)
                        (void)send_size(&stream);
                while (!is_over(&stream) && carry_once(&stream) == 0)
                        continue;
                exec_terminal_give_back(&terminal);
                wslay_event_context_free(stream.frames);
                r = finish(&stream, error);
        }
        (void)fd_close(stream.window);
        (void)fd_close(stream.socket);
        return r;
}
