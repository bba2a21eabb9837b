/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The upgrade is answered before the launcher is asked. A refusal of the launcher could be an HTTP
 * error instead, but kubectl answers one by asking again in SPDY, and then the session would be
 * tried twice and audited twice. So a refusal comes as the Status of a session that has not run;
 * one that a shell would have reported (no such program: 127, not executable: 126) comes as a shell
 * reports it.
 *
 * The end, in this order: the program's end is known, its output is sent, Status, Close. The client
 * leaving first is the program's hangup.
 */
#include "sidecar/gateway/session.h"

#include "base/log.h"
#include "sidecar/gateway/api.h"
#include "sidecar/gateway/control.h"
#include "sidecar/gateway/pipes.h"
#include "sidecar/gateway/resize.h"
#include "sidecar/gateway/stream.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_TIMED_OUT 124 /* as timeout(1) says it */

/* kubectl gives up a connection 61 s after the last pong, and its own pings wait behind its data:
 * while input is not read, a pong that nobody asked for keeps it. */
static const struct timeval pong_interval = { .tv_sec = 10 };

typedef enum SessionState {
        SESSION_STARTING = 1, /* asked of the launcher */
        SESSION_RUNNING,
        SESSION_DRAINING, /* the program has ended; its output is still being sent */
        SESSION_CLOSING,  /* Status and Close are sent */
} SessionState;

static const bool moves[][SESSION_CLOSING + 1] = {
        [SESSION_STARTING] = { [SESSION_RUNNING] = true, [SESSION_CLOSING] = true },
        [SESSION_RUNNING] = { [SESSION_DRAINING] = true, [SESSION_CLOSING] = true },
        [SESSION_DRAINING] = { [SESSION_CLOSING] = true },
        [SESSION_CLOSING] = { false },
};

struct Session {
        SessionState state;
        struct event_base *loop;
        Stream *stream;
        ExecRequest *request;
        ControlRequest *running; /* NULL once the launcher has said how it ended */
        Pipes *pipes;
        RemoteReader reader;
        Error broken; /* what the client did wrong, found while reading */
        struct event *deadline, *pong;
        bool timed_out;
        uint8_t exit_code;
        char sandbox[ERROR_TEXT_MAX]; /* the launcher's word about it */
        SessionGone gone;
        void *owner;
};

static bool move(Session *session, SessionState to) {
        if (!moves[session->state][to])
                return false;
        session->state = to;
        return true;
}

/* --- the end --- */

static void send_status(Session *session, char *status) {
        if (status != NULL)
                (void)stream_send(session->stream, REMOTE_STATUS, status, strlen(status));
        free(status);
}

static void close_with(Session *session, char *status, StreamCode code) {
        if (!move(session, SESSION_CLOSING)) {
                free(status);
                return;
        }
        session->pipes = pipes_free(session->pipes);
        (void)event_del(session->deadline);
        (void)event_del(session->pong);
        send_status(session, status);
        stream_close(session->stream, code);
}

/* Before version 4 the status channel had plain text, and nothing for success. */
static char *exit_status(const Session *session) {
        char text[64];

        if (session->reader.protocol != REMOTE_PROTOCOL_CHANNEL)
                return api_session_exit(session->exit_code, session->sandbox);
        if (session->exit_code == 0)
                return NULL;
        (void)snprintf(
                text, sizeof(text), "command terminated with exit code %u", session->exit_code);
        return strdup(text);
}

static void fail(Session *session, unsigned code, const char *message) {
        char *status;

        if (session->reader.protocol == REMOTE_PROTOCOL_CHANNEL)
                status = strdup(message);
        else
                status = api_session_failure(code, message);
        close_with(session, status, STREAM_NORMAL);
}

static void leave_program(Session *session, const char *reason) {
        if (session->running != NULL)
                control_session_leave(session->running, reason);
        session->running = NULL;
}

/* --- the launcher's side --- */

static void update_input(Session *session);

static void on_drained(void *owner) {
        Session *session = owner;

        close_with(session, exit_status(session), STREAM_NORMAL);
}

static void on_input_room(void *owner) {
        update_input(owner);
}

static const PipesEvents pipes_events = { on_input_room, on_drained };

static int take_fd_of(int *fds, size_t count, size_t *at, bool wanted) {
        if (!wanted || *at >= count)
                return -1;
        return take_fd(fds[(*at)++]);
}

static PipesFds take_fds(const Session *session, int *fds, size_t count) {
        uint32_t flags = session->request->start.flags;
        bool terminal = (flags & WIRE_SESSION_TTY) != 0;
        PipesFds taken;
        size_t at = 0;

        taken.terminal = take_fd_of(fds, count, &at, terminal);
        taken.input = take_fd_of(fds, count, &at, !terminal && (flags & WIRE_SESSION_STDIN) != 0);
        taken.output = take_fd_of(fds, count, &at, !terminal && (flags & WIRE_SESSION_STDOUT) != 0);
        taken.errors = take_fd_of(fds, count, &at, !terminal && (flags & WIRE_SESSION_STDERR) != 0);
        return taken;
}

static void on_started(void *owner, const char *status, int *fds, size_t fd_count) {
        Session *session = owner;
        PipesFds taken;
        Error error;

        if (!move(session, SESSION_RUNNING))
                return;
        (void)snprintf(session->sandbox, sizeof(session->sandbox), "%s", status);
        taken = take_fds(session, fds, fd_count);
        if (pipes_new(session->loop, &taken, session->stream, &pipes_events, session,
                    &session->pipes, &error) < 0) {
                leave_program(session, "no memory");
                fail(session, api_code(error.kind), error.text);
                return;
        }
        update_input(session);
}

/* As a shell says it, on the stream where one would look for it. */
static void report_as_shell(Session *session, const WireSessionRefused *refused) {
        bool terminal = (session->request->start.flags & WIRE_SESSION_TTY) != 0;
        bool errors = (session->request->start.flags & WIRE_SESSION_STDERR) != 0;
        char line[ERROR_TEXT_MAX + 32];
        int size = snprintf(
                line, sizeof(line), "navigator: %s%s", refused->text, terminal ? "\r\n" : "\n");

        if (size > 0 && (terminal || errors))
                (void)stream_send(session->stream, terminal ? REMOTE_STDOUT : REMOTE_STDERR, line,
                        (size_t)size < sizeof(line) ? (size_t)size : sizeof(line) - 1);
        session->exit_code = refused->exit_code;
        close_with(session, exit_status(session), STREAM_NORMAL);
}

static void on_refused(void *owner, const WireSessionRefused *refused) {
        Session *session = owner;

        session->running = NULL;
        if (refused->exit_code != 0)
                report_as_shell(session, refused);
        else
                fail(session, api_code(refused->kind), refused->text);
}

static void on_ended(void *owner, uint8_t exit_code) {
        Session *session = owner;

        session->running = NULL;
        session->exit_code = session->timed_out ? EXIT_TIMED_OUT : exit_code;
        if (move(session, SESSION_DRAINING))
                pipes_drain(session->pipes);
        else
                close_with(session, exit_status(session),
                        STREAM_NORMAL); /* stopped before it had started */
}

static const ControlSessionEvents control_events = { on_started, on_refused, on_ended };

static void on_deadline(int fd, short what, void *data) {
        Session *session = data;

        session->timed_out = true;
        if (session->running != NULL)
                control_session_stop(session->running, "deadline");
}

/* --- the client's side --- */

static void on_resize(Session *session) {
        const RemoteReader *reader = &session->reader;
        uint16_t columns, rows;

        if (resize_parse(reader->kept, reader->size, &columns, &rows, &session->broken) == 0 &&
                session->pipes != NULL)
                pipes_resize(session->pipes, columns, rows);
}

static void on_piece(void *owner, const uint8_t *data, size_t size) {
        Session *session = owner;

        if (remote_piece(&session->reader, &data, &size) != REMOTE_EVENT_INPUT ||
                session->pipes == NULL)
                return;
        if (pipes_input(session->pipes, data, size) < 0)
                (void)error_set(
                        &session->broken, ERROR_LIMIT, 0, "no memory for the session's input");
}

static void on_message_end(void *owner) {
        Session *session = owner;
        RemoteEvent event;

        if (remote_end(&session->reader, &event, &session->broken) < 0)
                return;
        if (event == REMOTE_EVENT_RESIZE)
                on_resize(session);
        if (event == REMOTE_EVENT_INPUT_END && session->pipes != NULL)
                pipes_end_input(session->pipes);
}

/* Messages are read when there is a program that takes them; until then they wait with the client.
 */
static void update_input(Session *session) {
        bool stop = session->state == SESSION_STARTING ||
                    (session->pipes != NULL && pipes_is_full(session->pipes));

        if (stop)
                stream_pause(session->stream);
        else
                stream_resume(session->stream);
        if (stop)
                (void)event_add(session->pong, &pong_interval);
        else
                (void)event_del(session->pong);
}

static void on_pong(int fd, short what, void *data) {
        Session *session = data;

        stream_pong(session->stream);
}

static void on_read(void *owner) {
        Session *session = owner;

        if (session->broken.kind != 0) {
                leave_program(session, "protocol error");
                fail(session, api_code(session->broken.kind), session->broken.text);
                return;
        }
        if (session->pipes == NULL)
                return;
        pipes_flush(session->pipes);
        update_input(session);
}

static void on_room(void *owner) {
        Session *session = owner;

        if (session->pipes != NULL)
                pipes_resume_output(session->pipes);
}

/* A Close, or a broken frame: nobody reads the output any more, and before version 5 this is the
 * only way to say that input has ended. */
static void on_closed(void *owner) {
        Session *session = owner;

        leave_program(session, "client gone");
        close_with(session, NULL, STREAM_NORMAL);
}

static void on_gone(void *owner) {
        Session *session = owner;

        leave_program(session, "client gone");
        session->gone(session->owner, session);
}

static const StreamEvents stream_events = { on_piece, on_message_end, on_read, on_room, on_closed,
        on_gone };

/* --- life --- */

static int begin(Session *session, Control *control) {
        const struct timeval limit = { .tv_sec = session->request->timeout_seconds };

        session->deadline = evtimer_new(session->loop, on_deadline, session);
        session->pong = event_new(session->loop, -1, EV_PERSIST, on_pong, session);
        if (session->deadline == NULL || session->pong == NULL)
                return -1;
        if (limit.tv_sec > 0 && event_add(session->deadline, &limit) != 0)
                return -1;
        session->running =
                control_session_start(control, &session->request->start, &control_events, session);
        update_input(session);
        return session->running != NULL ? 0 : -1;
}

Session *session_new(const SessionParts *parts, SessionGone gone, void *owner) {
        Session *session = calloc(1, sizeof(*session));

        if (session == NULL) {
                (void)exec_request_free(parts->request);
                (void)transport_free(parts->transport);
                return NULL;
        }
        session->state = SESSION_STARTING;
        session->loop = parts->loop;
        session->request = parts->request;
        session->reader.protocol = parts->protocol;
        session->gone = gone;
        session->owner = owner;
        session->stream = stream_new(parts->transport, &stream_events, session);
        if (session->stream == NULL || begin(session, parts->control) < 0)
                return session_free(session);
        return session;
}

Session *session_free(Session *session) {
        if (session == NULL)
                return NULL;
        leave_program(session, "gateway ends");
        (void)pipes_free(session->pipes);
        if (session->deadline != NULL)
                event_free(session->deadline);
        if (session->pong != NULL)
                event_free(session->pong);
        (void)stream_free(session->stream);
        (void)exec_request_free(session->request);
        free(session);
        return NULL;
}
