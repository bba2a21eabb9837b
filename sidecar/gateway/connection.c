/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A request goes: head -> route -> authorisation -> answer or upgrade. Only the health paths are
 * answered without knowing who asks. The GET that asks for a WebSocket and kubectl's second try, a
 * POST that asks for SPDY, go through the same checks and get the same answers: the second is the
 * one that kubectl shows.
 */
#include "sidecar/gateway/connection.h"

#include "base/log.h"
#include "http/head.h"
#include "http/response.h"
#include "http/transport.h"
#include "sidecar/gateway/api.h"
#include "sidecar/gateway/control.h"
#include "sidecar/gateway/handshake.h"
#include "sidecar/gateway/targets.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* While an answer is thought about reading goes on, so that a client that leaves is noticed; this
 * is what it may send meanwhile. */
#define AHEAD_MAX (64U * 1024U)

static const struct timeval first_limit = { .tv_sec = 10 };
static const struct timeval idle_limit = { .tv_sec = 60 };
/* A kubelet's probe takes an answer for a second, and asks again a period later: a no that becomes a
 * yes within its patience would cost a starting pod that period. */
static const struct timeval ready_limit = { .tv_usec = 800 * 1000 };

typedef enum ConnectionState {
        CONNECTION_READING = 1,
        CONNECTION_AUTHORISING,
        CONNECTION_UNREADY, /* asked whether a container can be entered; none can, so far */
        CONNECTION_CLOSING, /* the last answer is on its way */
} ConnectionState;

struct Connection {
        ConnectionState state;
        struct event_base *loop;
        Control *control;
        Authorizer *authorizer;
        ListenerPeer peer;
        Transport *transport;
        struct event *timer;
        HeadReader *reader; /* while a request is read and answered */
        Route route;
        AuthorizeCall *call;
        const ConnectionEvents *events;
        void *owner;
};

static const Head *head_of(const Connection *connection) {
        return head_reader_head(connection->reader);
}

/* --- answers --- */

static void finish(Connection *connection) {
        connection->state = CONNECTION_CLOSING;
        (void)event_del(connection->timer);
        transport_finish(connection->transport);
}

/* Ends the request. With keep set the connection waits for the next one. */
static void answer(Connection *connection, Response response, bool keep) {
        response.close = !keep;
        if (response.fields == NULL)
                response.fields = "";
        if (response_write(transport_output(connection->transport), &response) < 0 || !keep ||
                transport_is_full(connection->transport)) {
                finish(connection);
                return;
        }
        connection->reader = head_reader_free(connection->reader);
        connection->state = CONNECTION_READING;
        (void)event_add(connection->timer, &idle_limit);
        transport_resume(connection->transport); /* the next request may be there already */
}

static void answer_text(Connection *connection, unsigned code, const char *text) {
        answer(connection, (Response){ code, "text/plain", text }, head_of(connection)->keep_alive);
}

/* Takes the JSON; NULL means that there was no memory for it. */
static void answer_json(Connection *connection, unsigned code, char *json, bool keep) {
        const char *fields = code == 401   ? "WWW-Authenticate: Bearer\r\n"
                             : code == 405 ? "Allow: GET\r\n"
                                           : "";

        if (json != NULL)
                answer(connection, (Response){ code, "application/json", json, fields }, keep);
        else
                answer(connection, (Response){ 503, "text/plain", "out of memory\n" }, false);
        free(json);
}

static void answer_status(Connection *connection, unsigned code, const char *message) {
        answer_json(connection, code, api_status(code, message),
                code != 401 && head_of(connection)->keep_alive);
}

static void answer_error(Connection *connection, const Error *error) {
        answer_status(connection, api_code(error->kind), error->text);
}

static void answer_broken(Connection *connection, const Error *error) {
        unsigned code = error->kind == ERROR_LIMIT ? 431 : 400;

        answer_json(connection, code, api_status(code, error->text), false);
}

static const char *source_of(const Connection *connection) {
        return connection->peer.local ? "unix" : "tls";
}

static void audit_denial(
        Connection *connection, const char *caller, unsigned code, const char *message) {
        char number[8];
        const char *const pairs[] = {
                "caller",
                caller,
                "source",
                source_of(connection),
                "namespace",
                connection->route.pod_namespace,
                "pod",
                connection->route.pod,
                "code",
                number,
                "reason",
                message,
                NULL,
        };

        (void)snprintf(number, sizeof(number), "%u", code);
        control_audit(connection->control, "request_denied", pairs);
}

/* --- sessions --- */

static int check_container(const Connection *connection, const ExecRequest *request, Error *error) {
        const char *container = request->start.container;

        if (container[0] == '\0' ||
                targets_has_container(control_targets(connection->control), container))
                return 0;
        return error_set(error, ERROR_INPUT, 0,
                "container %s is not valid for pod %s: it has no sandbox", container,
                connection->route.pod);
}

static const HandshakeProtocols session_protocols = {
        .find = remote_protocol,
        .unnamed = REMOTE_PROTOCOL_CHANNEL,
        .names = "v5.channel.k8s.io, v4.channel.k8s.io and channel.k8s.io are",
};

static const HandshakeProtocols forward_protocols = {
        .find = port_forward_protocol,
        .names = "SPDY/3.1+portforward.k8s.io and v4.channel.k8s.io are",
};

/* The answer is on its way and the transport handed on; NULL when there is no memory for it. */
static Transport *upgrade(Connection *connection, const Handshake *handshake) {
        if (handshake_write(transport_output(connection->transport), handshake) == 0)
                return take_ptr(connection->transport);
        finish(connection);
        return NULL;
}

static void begin_session(Connection *connection, const char *caller) {
        cleanup(exec_request_freep) ExecRequest *request = NULL;
        SessionParts parts = { .loop = connection->loop, .control = connection->control };
        Handshake handshake;
        Error error;

        if (exec_request_new(connection->route.query, &request, &error) < 0 ||
                check_container(connection, request, &error) < 0 ||
                handshake_check(head_of(connection), &session_protocols, &handshake, &error) < 0) {
                answer_error(connection, &error);
                return;
        }
        if (control_session_count(connection->control) >= CONNECTION_SESSIONS_MAX) {
                answer_status(connection, 429,
                        "too many sessions are running; try again when one has ended");
                return;
        }
        parts.transport = upgrade(connection, &handshake);
        if (parts.transport == NULL)
                return;
        exec_request_set_caller(request, caller, source_of(connection));
        parts.request = take_ptr(request);
        parts.protocol = (RemoteProtocol)handshake.protocol;
        connection->events->upgraded(connection->owner, connection, &parts);
}

static void begin_port_forward(Connection *connection, const char *caller) {
        PortForwardParts parts = { .loop = connection->loop, .control = connection->control };
        Handshake handshake;
        Error error;

        if (handshake_check(head_of(connection), &forward_protocols, &handshake, &error) < 0 ||
                port_forward_check((PortForwardProtocol)handshake.protocol, connection->route.query,
                        &error) < 0) {
                answer_error(connection, &error);
                return;
        }
        if (!connection->events->may_forward(connection->owner)) {
                answer_status(connection, 429,
                        "too many port-forwards are open; try again when one has ended");
                return;
        }
        parts.transport = upgrade(connection, &handshake);
        if (parts.transport == NULL)
                return;
        parts.query = connection->route.query;
        parts.caller = caller;
        parts.source = source_of(connection);
        parts.protocol = (PortForwardProtocol)handshake.protocol;
        connection->events->forwarding(connection->owner, connection, &parts);
}

/* What both want: no page of another site, and a sandbox to enter. */
static void begin_stream(Connection *connection, const char *caller) {
        Error error;

        if (handshake_check_origin(head_of(connection), &error) < 0) {
                audit_denial(connection, caller, 403, error.text);
                answer_error(connection, &error);
        } else if (control_targets(connection->control)->count == 0) {
                answer_status(connection, 503,
                        "the sandbox has no workload container that can be entered yet");
        } else if (connection->route.kind == ROUTE_EXEC) {
                begin_session(connection, caller);
        } else {
                begin_port_forward(connection, caller);
        }
}

/* --- requests --- */

static void serve_ready(Connection *connection) {
        if (control_targets(connection->control)->count > 0) {
                answer_text(connection, 200, "ok\n");
                return;
        }
        connection->state = CONNECTION_UNREADY;
        (void)event_add(connection->timer, &ready_limit);
}

void connection_targets_changed(Connection *connection) {
        if (connection->state == CONNECTION_UNREADY &&
                control_targets(connection->control)->count > 0)
                answer_text(connection, 200, "ok\n");
}

static void serve_not_found(Connection *connection) {
        char message[ROUTE_POD_MAX + 32] = "the server could not find the requested resource";

        if (connection->route.kind == ROUTE_NAMESPACE)
                (void)snprintf(message, sizeof(message), "namespaces \"%s\" not found",
                        connection->route.pod_namespace);
        else if (connection->route.pod[0] != '\0')
                (void)snprintf(
                        message, sizeof(message), "pods \"%s\" not found", connection->route.pod);
        answer_status(connection, 404, message);
}

static bool is_served(const Connection *connection) {
        const Route *route = &connection->route;
        const Targets *targets = control_targets(connection->control);

        if (route->kind == ROUTE_UNKNOWN)
                return false;
        if (connection->peer.local)
                return true; /* there is one pod by this socket, whatever its caller calls it */
        if (route->kind == ROUTE_NAMESPACE)
                return targets_is_namespace(targets, route->pod_namespace);
        return route->pod[0] == '\0' || targets_is_pod(targets, route->pod_namespace, route->pod);
}

static bool is_stream(const Connection *connection) {
        return connection->route.kind == ROUTE_EXEC || connection->route.kind == ROUTE_PORT_FORWARD;
}

/* A POST is kubectl's second try at a stream, to be refused with the reason. */
static bool is_allowed_method(const Connection *connection) {
        HeadMethod method = head_of(connection)->method;

        return method == HEAD_GET || (method == HEAD_POST && is_stream(connection));
}

static char *document(const Connection *connection) {
        const Route *route = &connection->route;

        if (route->kind == ROUTE_POD)
                return api_pod(route, control_targets(connection->control));
        if (route->kind == ROUTE_NAMESPACE)
                return api_namespace(route);
        return api_discovery(route->kind);
}

/* For a caller who may. */
static void serve(Connection *connection, const char *caller) {
        if (!is_served(connection))
                serve_not_found(connection);
        else if (!is_allowed_method(connection))
                answer_status(connection, 405,
                        "the server does not allow this method on the requested resource");
        else if (is_stream(connection))
                begin_stream(connection, caller);
        else
                answer_json(connection, 200, document(connection), head_of(connection)->keep_alive);
}

static void on_verdict(void *owner, const AuthorizeVerdict *verdict) {
        Connection *connection = owner;

        connection->call = NULL;
        if (verdict->code != 0) {
                audit_denial(connection, verdict->caller, verdict->code, verdict->message);
                answer_status(connection, verdict->code, verdict->message);
        } else {
                serve(connection, verdict->caller);
        }
}

static void dispatch(Connection *connection) {
        Error error;

        if (route_parse(head_of(connection)->target, &connection->route, &error) < 0) {
                answer_broken(connection, &error);
        } else if (connection->route.kind == ROUTE_LIVE) {
                answer_text(connection, 200, "ok\n");
        } else if (connection->route.kind == ROUTE_READY) {
                serve_ready(connection);
        } else {
                connection->state = CONNECTION_AUTHORISING;
                (void)event_del(connection->timer);
                connection->call = authorize_start(connection->authorizer, &connection->peer,
                        head_of(connection), &connection->route, on_verdict, connection);
                if (connection->call == NULL)
                        answer_status(connection, 503, "out of memory");
        }
}

/* One request, or what there is of it. */
static void read_request(Connection *connection) {
        struct evbuffer *input = transport_input(connection->transport);
        int whole = 0;

        if (connection->reader == NULL)
                connection->reader = head_reader_new(0);
        while (connection->reader != NULL && whole == 0 && evbuffer_get_length(input) > 0) {
                struct evbuffer_iovec piece;
                size_t used = 0;
                Error error;

                (void)evbuffer_peek(input, -1, NULL, &piece, 1);
                whole = head_reader_feed(
                        connection->reader, piece.iov_base, piece.iov_len, &used, &error);
                if (whole < 0)
                        answer_broken(connection, &error);
                else
                        (void)evbuffer_drain(input, used);
        }
        if (connection->reader == NULL)
                finish(connection);
        if (whole > 0)
                dispatch(connection);
}

static void on_readable(void *owner) {
        Connection *connection = owner;

        if (connection->state == CONNECTION_READING &&
                evbuffer_get_length(transport_input(connection->transport)) > 0)
                read_request(connection);
        else if (evbuffer_get_length(transport_input(connection->transport)) > AHEAD_MAX)
                connection->events->gone(connection->owner, connection);
}

static void on_room(void *owner) {
}

static void on_gone(void *owner) {
        Connection *connection = owner;

        connection->events->gone(connection->owner, connection);
}

static const TransportEvents transport_events = { on_readable, on_room, on_gone };

static void on_timer(int fd, short what, void *data) {
        Connection *connection = data;

        if (connection->state == CONNECTION_UNREADY)
                answer_text(connection, 503, "no workload container can be entered yet\n");
        else
                on_gone(connection);
}

/* --- life --- */

Connection *connection_new(
        const ConnectionParts *parts, const ConnectionEvents *events, void *owner) {
        Connection *connection = calloc(1, sizeof(*connection));

        if (connection == NULL) {
                (void)transport_free(parts->transport);
                return NULL;
        }
        *connection = (Connection){
                .state = CONNECTION_READING,
                .loop = parts->loop,
                .control = parts->control,
                .authorizer = parts->authorizer,
                .peer = parts->peer,
                .transport = parts->transport,
                .events = events,
                .owner = owner,
        };
        connection->timer = evtimer_new(parts->loop, on_timer, connection);
        if (connection->timer == NULL || event_add(connection->timer, &first_limit) != 0)
                return connection_free(connection);
        transport_set_owner(connection->transport, &transport_events, connection);
        return connection;
}

Connection *connection_free(Connection *connection) {
        if (connection == NULL)
                return NULL;
        (void)authorize_cancel(connection->call);
        if (connection->timer != NULL)
                event_free(connection->timer);
        (void)head_reader_free(connection->reader);
        (void)transport_free(connection->transport);
        free(connection);
        return NULL;
}
