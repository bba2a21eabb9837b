/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The socket is never waited for. What does not fit now (a start, a stop) stays marked in its
 * record, and the records are gone through again when the socket takes more: no queue of copies,
 * nothing unbounded.
 */
#include "sidecar/gateway/control.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "sidecar/gateway/targets.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define MESSAGES_AT_ONCE 16 /* then the loop looks after the clients */
#define AUDIT_PAIRS_MAX 30U

typedef enum RequestState {
        REQUEST_WAITING = 1, /* not sent yet */
        REQUEST_SENT,
        REQUEST_OVER,
} RequestState;

struct ControlRequest {
        TAILQ_ENTRY(ControlRequest) entry;
        Control *control;
        uint32_t id;
        RequestState state;
        const WireSessionStart *start; /* borrowed; NULL once sent */
        const char *stop_reason;       /* a stop is wanted */
        bool stop_sent;
        const ControlSessionEvents *events;
        uint16_t port; /* to connect to; 0: a session */
        const ControlConnectEvents *connect_events;
        void *owner; /* NULL: has left */
};

TAILQ_HEAD(RequestList, ControlRequest);

struct Control {
        int socket; /* borrowed */
        struct event *readable, *writable;
        const ControlEvents *events;
        void *owner;
        bool broken;
        uint32_t last_id;
        unsigned session_count;
        unsigned long dropped; /* audit events */
        Targets targets;
        struct RequestList requests; /* in the order they were asked */
        WireMessage message;         /* 160 KiB: one, and not on a stack */
};

static void request_free(ControlRequest *request) {
        if (request->port == 0)
                request->control->session_count--;
        TAILQ_REMOVE(&request->control->requests, request, entry);
        free(request);
}

static void lose(Control *control, const char *why) {
        if (control->broken)
                return;
        control->broken = true;
        log_line(LOG_LEVEL_ERROR, "the launcher: %s", why);
        control->events->lost(control->owner);
}

/* --- to the launcher --- */

/* 0: sent; -EAGAIN: later; the launcher being gone is told by reading. */
static int send_request(Control *control, ControlRequest *request) {
        int r;

        if (request->port != 0)
                r = wire_connect_write(control->socket, request->id, request->port);
        else
                r = wire_session_start_write(control->socket, request->id, request->start);
        if (r == -EAGAIN)
                return r;
        request->state = REQUEST_SENT;
        request->start = NULL;
        return 0;
}

static int send_stop(Control *control, ControlRequest *request) {
        int r = wire_session_stop_write(control->socket, request->id, request->stop_reason);

        if (r == -EAGAIN)
                return r;
        request->stop_sent = true;
        return 0;
}

static void send_waiting(Control *control) {
        ControlRequest *request;

        TAILQ_FOREACH(request, &control->requests, entry) {
                int r = 0;

                if (request->state == REQUEST_WAITING)
                        r = send_request(control, request);
                if (r == 0 && request->stop_reason != NULL && !request->stop_sent &&
                        request->state == REQUEST_SENT)
                        r = send_stop(control, request);
                if (r == -EAGAIN) {
                        (void)event_add(control->writable, NULL);
                        return;
                }
        }
}

static void on_writable(int fd, short what, void *data) {
        send_waiting(data);
}

/* Takes its number and its place, and goes out if it can. */
static ControlRequest *request_new(Control *control, const ControlRequest *from) {
        ControlRequest *request = malloc(sizeof(*request));

        if (request == NULL)
                return NULL;
        *request = *from;
        request->control = control;
        request->id = ++control->last_id;
        request->state = REQUEST_WAITING;
        if (request->port == 0)
                control->session_count++;
        TAILQ_INSERT_TAIL(&control->requests, request, entry);
        send_waiting(control);
        return request;
}

ControlRequest *control_session_start(Control *control, const WireSessionStart *start,
        const ControlSessionEvents *events, void *owner) {
        return request_new(
                control, &(ControlRequest){ .start = start, .events = events, .owner = owner });
}

void control_session_stop(ControlRequest *request, const char *reason) {
        if (request->stop_reason != NULL)
                return;
        request->stop_reason = reason;
        send_waiting(request->control);
}

void control_session_leave(ControlRequest *request, const char *reason) {
        request->owner = NULL;
        if (request->state == REQUEST_WAITING)
                request_free(request);
        else
                control_session_stop(request, reason);
}

ControlRequest *control_connect(
        Control *control, uint16_t port, const ControlConnectEvents *events, void *owner) {
        return request_new(control,
                &(ControlRequest){ .port = port, .connect_events = events, .owner = owner });
}

void control_connect_leave(ControlRequest *request) {
        request->owner = NULL;
        if (request->state == REQUEST_WAITING)
                request_free(request);
}

int control_ready(Control *control) {
        return wire_signal(control->socket, WIRE_READY, 0);
}

void control_audit(Control *control, const char *event, const char *const *pairs) {
        const char *all[AUDIT_PAIRS_MAX + 3] = { 0 };
        char dropped[24];
        size_t count = 0;

        while (pairs[count] != NULL && count < AUDIT_PAIRS_MAX) {
                all[count] = pairs[count];
                count++;
        }
        if (control->dropped > 0) {
                (void)snprintf(dropped, sizeof(dropped), "%lu", control->dropped);
                all[count++] = "dropped_before";
                all[count] = dropped;
        }
        if (wire_audit_write(control->socket, event, all) == 0)
                control->dropped = 0;
        else
                control->dropped++;
}

/* --- from the launcher --- */

/* Of a session, or of a connection: a wrong kind of answer is one to nobody. */
static ControlRequest *find(Control *control, uint32_t id, bool session) {
        ControlRequest *request;

        TAILQ_FOREACH(request, &control->requests, entry)
        if (request->id == id && request->state == REQUEST_SENT && (request->port == 0) == session)
                return request;
        return NULL;
}

static int take_give(Control *control, WireMessage *message, Error *error) {
        const char *name;
        int fd = -1;

        if (wire_give_read(message, &name, &fd, error) < 0)
                return -1;
        control->events->given(control->owner, name, fd);
        return 0;
}

static int take_targets(Control *control, WireMessage *message, Error *error) {
        WireTargets targets;
        int r;

        if (wire_targets_read(message, &targets, error) < 0)
                return -1;
        r = targets_set(&control->targets, &targets, error);
        free(targets.containers);
        if (r == 0)
                control->events->targets(control->owner);
        return r;
}

static int take_start(Control *control, WireMessage *message, Error *error) {
        control->events->start(control->owner);
        return 0;
}

static int take_started(Control *control, WireMessage *message, Error *error) {
        ControlRequest *request = find(control, message->header.id, true);
        const char *status;
        uint64_t number;

        if (wire_session_started_read(message, &number, &status, error) < 0)
                return -1;
        if (request != NULL && request->owner != NULL)
                request->events->started(request->owner, status, message->fds, message->fd_count);
        return 0;
}

static int take_refused(Control *control, WireMessage *message, Error *error) {
        ControlRequest *request = find(control, message->header.id, true);
        WireSessionRefused refused;

        if (wire_session_refused_read(message, &refused, error) < 0)
                return -1;
        if (request == NULL)
                return 0;
        request->state = REQUEST_OVER;
        if (request->owner != NULL)
                request->events->refused(request->owner, &refused);
        request_free(request);
        return 0;
}

static int take_ended(Control *control, WireMessage *message, Error *error) {
        ControlRequest *request = find(control, message->header.id, true);
        bool signalled;
        uint8_t exit_code;

        if (wire_session_ended_read(message, &exit_code, &signalled, error) < 0)
                return -1;
        if (request == NULL)
                return 0;
        request->state = REQUEST_OVER;
        if (request->owner != NULL)
                request->events->ended(request->owner, exit_code);
        request_free(request);
        return 0;
}

static int take_connected(Control *control, WireMessage *message, Error *error) {
        ControlRequest *request = find(control, message->header.id, false);
        int fd = -1;

        if (wire_connected_read(message, &fd, error) < 0)
                return -1;
        if (request != NULL && request->owner != NULL)
                request->connect_events->connected(request->owner, take_fd(fd));
        if (request != NULL)
                request_free(request);
        (void)fd_close(fd);
        return 0;
}

static int take_connect_refused(Control *control, WireMessage *message, Error *error) {
        ControlRequest *request = find(control, message->header.id, false);
        const char *why;

        if (wire_connect_refused_read(message, &why, error) < 0)
                return -1;
        if (request != NULL && request->owner != NULL)
                request->connect_events->refused(request->owner, why);
        if (request != NULL)
                request_free(request);
        return 0;
}

static const struct {
        WireType type;
        int (*handle)(Control *control, WireMessage *message, Error *error);
} handlers[] = {
        { WIRE_GIVE, take_give },
        { WIRE_TARGETS, take_targets },
        { WIRE_START, take_start },
        { WIRE_SESSION_STARTED, take_started },
        { WIRE_SESSION_REFUSED, take_refused },
        { WIRE_SESSION_ENDED, take_ended },
        { WIRE_CONNECTED, take_connected },
        { WIRE_CONNECT_REFUSED, take_connect_refused },
};

static int take_message(Control *control, WireMessage *message, Error *error) {
        for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
                if (handlers[i].type == message->header.type)
                        return handlers[i].handle(control, message, error);
        return error_set(error, ERROR_PEER, 0, "message type %d is none for the gateway",
                (int)message->header.type);
}

static void on_readable(int fd, short what, void *data) {
        Control *control = data;

        for (int i = 0; i < MESSAGES_AT_ONCE && !control->broken; i++) {
                Error error = { 0 };
                int r = wire_receive(control->socket, &control->message);

                if (r == -EAGAIN)
                        return;
                if (r <= 0) {
                        lose(control, r == 0 ? "has closed" : strerror(-r));
                        return;
                }
                r = take_message(control, &control->message, &error);
                wire_message_done(&control->message);
                if (r < 0)
                        lose(control, error.text);
        }
}

/* --- life --- */

int control_new(struct event_base *loop, int socket, const ControlEvents *events, void *owner,
        Control **ret_control, Error *error) {
        cleanup(control_freep) Control *control = calloc(1, sizeof(*control));

        if (control == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        control->socket = socket;
        control->events = events;
        control->owner = owner;
        TAILQ_INIT(&control->requests);
        control->readable = event_new(loop, socket, EV_READ | EV_PERSIST, on_readable, control);
        control->writable = event_new(loop, socket, EV_WRITE, on_writable, control);
        if (control->readable == NULL || control->writable == NULL ||
                event_add(control->readable, NULL) != 0)
                return error_set(error, ERROR_LIMIT, 0, "cannot watch the socket of the launcher");
        *ret_control = take_ptr(control);
        return 0;
}

Control *control_free(Control *control) {
        if (control == NULL)
                return NULL;
        while (!TAILQ_EMPTY(&control->requests))
                request_free(TAILQ_FIRST(&control->requests));
        if (control->readable != NULL)
                event_free(control->readable);
        if (control->writable != NULL)
                event_free(control->writable);
        targets_done(&control->targets);
        free(control);
        return NULL;
}

const Targets *control_targets(const Control *control) {
        return &control->targets;
}

unsigned control_session_count(const Control *control) {
        return control->session_count;
}
