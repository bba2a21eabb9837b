/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Events are edges: both sockets are registered once for reading and writing, and the state says
 * what an edge means. Every step returns right after it may have closed the connection.
 *
 * Order matters three times. The owner is asked for at accept, while the process that connected is
 * likely still there. The name is decided before it is resolved, each address before it is
 * connected to. And the client's first bytes are looked at before any of its bytes is passed on.
 */
#include "sidecar/egress/connection.h"

#include "base/fd.h"
#include "sidecar/egress/clock.h"
#include "sidecar/egress/egress.h"
#include "sidecar/egress/refuse.h"
#include "sidecar/egress/route.h"
#include "sidecar/egress/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DISCARD_MAX (256U * 1024U) /* of what a refused client still sends */

/* ---- looking without taking ---- */

/* Bytes that are there, in the egress's scratch: > 0; 0 for the end; or -errno, -EAGAIN among them.
 */
static ssize_t peek(Connection *connection, int fd, size_t most) {
        ssize_t n;

        do
                n = recv(fd, connection->egress->scratch, most, MSG_PEEK | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

/* Takes what was looked at and understood. */
static int consume(Connection *connection, int fd, size_t size) {
        return recv(fd, connection->egress->scratch, size, MSG_DONTWAIT) == (ssize_t)size ? 0
                                                                                          : -EIO;
}

/* Bytes that were only looked at hide the end behind them, and there is no other edge for it. True
 * when the connection is gone. */
static bool close_if_ended(Connection *connection) {
        if (!socket_has_ended(connection->client))
                return false;
        connection_close(connection);
        return true;
}

/* ---- ASKING ---- */

static int keep_forward(Connection *connection, const Request *request) {
        const CorporateProxy *corporate =
                corporate_choose(&connection->egress->corporate, &request->destination, true);

        connection->forward_head = malloc(REQUEST_FORWARD_MAX);
        if (connection->forward_head == NULL)
                return -1;
        connection->forward_size =
                request_write_forward(request, corporate != NULL ? corporate->authorization : NULL,
                        connection->forward_head, REQUEST_FORWARD_MAX);
        return 0;
}

/* A client that has resolved a name by us and then asks the proxy for the address means the name.
 */
static void translate(Connection *connection) {
        Destination *destination = &connection->destination;
        const char *host;

        if (!destination->literal)
                return;
        host = pool_find(connection->egress->pool, &destination->address, clock_seconds());
        if (host == NULL)
                return;
        memcpy(destination->host, host, strlen(host) + 1);
        destination->literal = false;
}

static void read_head(Connection *connection) {
        const ssize_t n = peek(connection, connection->client, REQUEST_HEAD_MAX);
        Request request;
        Error error = { 0 };
        unsigned status = 0;
        int r;

        if (n == -EAGAIN)
                return;
        if (n <= 0) {
                connection_close(connection); /* gone before it asked for anything */
                return;
        }
        r = request_parse(
                (const char *)connection->egress->scratch, (size_t)n, &request, &status, &error);
        if (r == REQUEST_INCOMPLETE) {
                (void)close_if_ended(connection);
                return;
        }
        if (r < 0) {
                connection_refuse(connection, status, "request", "bad_request", error.text, NULL);
                return;
        }
        connection->destination = request.destination;
        connection->destination_known = true;
        connection->form = request.form;
        connection->body_size = request.body_size;
        if ((request.form == REQUEST_FORWARD && keep_forward(connection, &request) < 0) ||
                consume(connection, connection->client, request.head_size) < 0) {
                connection_close(connection);
                return;
        }
        translate(connection);
        route_begin(connection);
}

static void on_owner(void *context, WireMessage *message) {
        Connection *connection = context;

        connection->owner_question = 0;
        connection->owner = owner_read(message);
        connection->owner_known = true;
        route_begin(connection);
}

/* ---- RELAYING ---- */

static bool is_asked_for(const Connection *connection, const Hello *hello) {
        /* An address has no server name (RFC 6066 3): then the address that was allowed is the
         * whole name. */
        if (hello->server_name[0] == '\0')
                return connection->destination.literal;
        return !connection->destination.literal &&
               strcmp(hello->server_name, connection->destination.host) == 0;
}

/* Looks at the client's first bytes. False when the connection was refused; it then may be gone. */
static bool look_at_hello(Connection *connection) {
        const ssize_t n = peek(connection, connection->client, HELLO_SIZE_MAX);
        Error error = { 0 };
        Hello hello;
        int r;

        if (n == -EAGAIN)
                return true;
        r = n > 0 ? hello_parse(connection->egress->scratch, (size_t)n, &hello, &error)
                  : HELLO_NOT_TLS;
        if (r == HELLO_INCOMPLETE) {
                if (!connection->hello_begun)
                        connection->deadline = clock_milliseconds() + CONNECTION_HELLO_MS;
                connection->hello_begun = true;
                return !close_if_ended(connection);
        }
        if (r < 0) {
                connection_alert(connection, "hello_malformed", error.text);
                return false;
        }
        if (r == 0 && !is_asked_for(connection, &hello)) {
                (void)error_set(&error, ERROR_DENIED, 0,
                        "the TLS ClientHello names '%s' and '%s' was asked for%s",
                        hello.server_name[0] != '\0' ? hello.server_name : "nobody",
                        connection->destination.host,
                        hello.encrypted ? " (with ECH the outer name counts)" : "");
                connection_alert(connection, "server_name", error.text);
                return false;
        }
        connection->hello_wanted = false;
        connection->relay.from[RELAY_CLIENT].held = false;
        connection->deadline = clock_milliseconds() + CONNECTION_IDLE_MS;
        return true;
}

static void relay(Connection *connection) {
        RelayState state;

        if (connection->hello_wanted && !look_at_hello(connection))
                return;
        state = relay_move(&connection->relay);
        if (state == RELAY_BUSY)
                event_active(&connection->client_event, EV_TIMEOUT, 0);
        if (state == RELAY_BROKEN) {
                socket_reset_on_close(connection->client);
                socket_reset_on_close(connection->upstream);
        }
        if (state == RELAY_DONE || state == RELAY_BROKEN)
                connection_close(connection);
}

/* ---- LINGERING ---- */

static void discard(Connection *connection) {
        ssize_t n;

        while ((n = recv(connection->client, connection->egress->scratch,
                        sizeof(connection->egress->scratch), MSG_DONTWAIT)) > 0) {
                connection->discarded += (uint64_t)n;
                if (connection->discarded > DISCARD_MAX)
                        break;
        }
        if (n >= 0 || errno != EAGAIN)
                connection_close(connection);
}

/* ---- events ---- */

static void on_client(evutil_socket_t fd, short what, void *context) {
        Connection *connection = context;

        if (connection->state == CONNECTION_RELAYING) {
                relay_note(&connection->relay, RELAY_CLIENT, (what & EV_READ) != 0,
                        (what & EV_WRITE) != 0);
                relay(connection);
        } else if (connection->state == CONNECTION_ASKING && !connection->destination_known &&
                   (what & EV_READ) != 0) {
                read_head(connection);
        } else if (connection->state == CONNECTION_LINGERING) {
                discard(connection);
        }
}

static void read_introduction(Connection *connection) {
        const ssize_t n = peek(connection, connection->upstream, CORPORATE_ANSWER_MAX);
        Error error = { 0 };
        size_t size = 0;
        int r;

        if (n == -EAGAIN)
                return;
        if (n <= 0)
                r = error_set(
                        &error, ERROR_PEER, n < 0 ? (int)-n : 0, "the network's proxy has hung up");
        else
                r = corporate_read_answer(
                        (const char *)connection->egress->scratch, (size_t)n, &size, &error);
        if (r == CORPORATE_INCOMPLETE)
                return;
        if (r < 0)
                connection_fail(connection, &error);
        else if (consume(connection, connection->upstream, size) < 0)
                connection_close(connection);
        else
                connection_begin_relay(connection);
}

static void on_upstream(evutil_socket_t fd, short what, void *context) {
        Connection *connection = context;

        if (connection->state == CONNECTION_RELAYING) {
                relay_note(&connection->relay, RELAY_UPSTREAM, (what & EV_READ) != 0,
                        (what & EV_WRITE) != 0);
                relay(connection);
        } else if (connection->state == CONNECTION_INTRODUCING && (what & EV_READ) != 0) {
                read_introduction(connection);
        }
}

static int watch(Connection *connection, struct event *event, int fd, event_callback_fn callback,
        bool *ret_watching) {
        *ret_watching =
                event_assign(event, connection->egress->loop, fd,
                        EV_READ | EV_WRITE | EV_ET | EV_PERSIST, callback, connection) == 0 &&
                event_add(event, NULL) == 0;
        return *ret_watching ? 0 : -1;
}

int connection_watch_upstream(Connection *connection) {
        return watch(connection, &connection->upstream_event, connection->upstream, on_upstream,
                &connection->watching_upstream);
}

void connection_begin_relay(Connection *connection) {
        static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
        const size_t size = sizeof(established) - 1;
        const bool tunnel = connection->form == REQUEST_TUNNEL;

        if (connection->kind != LISTENER_TRANSPARENT && tunnel &&
                send(connection->client, established, size, MSG_DONTWAIT | MSG_NOSIGNAL) !=
                        (ssize_t)size) {
                connection_close(connection);
                return;
        }
        /* The buffer of a fresh connection is larger than any head that was taken. */
        if (!tunnel &&
                send(connection->upstream, connection->forward_head, connection->forward_size,
                        MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)connection->forward_size) {
                connection_fail(connection,
                        &(Error){ .kind = ERROR_PEER, .text = "the server takes no request" });
                return;
        }
        free(take_ptr(connection->forward_head));
        relay_init(&connection->relay, connection->egress->pipes, connection->client,
                connection->upstream);
        connection->state = CONNECTION_RELAYING;
        connection->deadline = clock_milliseconds() + CONNECTION_IDLE_MS;
        connection->relay.from[RELAY_CLIENT].held = connection->hello_wanted;
        if (!tunnel)
                relay_limit(&connection->relay, RELAY_CLIENT, connection->body_size);
        relay(connection);
}

/* ---- life ---- */

static bool note_original_destination(
        Connection *connection, const Address *address, uint16_t port) {
        const char *host = pool_find(connection->egress->pool, address, clock_seconds());
        Destination *destination = &connection->destination;

        destination_from_address(address, port, destination);
        if (host == NULL && address_class(address) == ADDRESS_LOOPBACK)
                host = "localhost";
        if (host != NULL) {
                memcpy(destination->host, host, strlen(host) + 1);
                destination->literal = false;
        }
        connection->destination_known = true;
        connection->form = REQUEST_TUNNEL;
        return true;
}

static Connection *connection_new(Egress *egress, ListenerKind kind, int fd) {
        Connection *connection = calloc(1, sizeof(*connection));

        if (connection == NULL) {
                (void)fd_close(fd);
                return NULL;
        }
        connection->egress = egress;
        connection->kind = kind;
        connection->state = CONNECTION_ASKING;
        connection->client = fd;
        connection->upstream = -1;
        connection->began = clock_milliseconds();
        connection->judge_since = connection->began;
        connection->deadline = connection->began + CONNECTION_ASKING_MS;
        TAILQ_INSERT_TAIL(&egress->connections, connection, list);
        egress->connection_count++;
        return connection;
}

void connection_accept(
        Egress *egress, ListenerKind kind, int fd, const struct sockaddr_storage *peer) {
        const WireNetwork network =
                kind == LISTENER_POD_PROXY ? WIRE_NETWORK_POD : WIRE_NETWORK_SANDBOX;
        Connection *connection = connection_new(egress, kind, fd);
        Address local, remote;
        uint16_t local_port, remote_port;

        if (connection == NULL)
                return;
        if (!socket_local(fd, &local, &local_port) ||
                !socket_address_read(peer, &remote, &remote_port) ||
                watch(connection, &connection->client_event, fd, on_client,
                        &connection->watching_client) < 0) {
                connection_close(connection);
                return;
        }
        socket_no_delay(fd);
        if (kind == LISTENER_TRANSPARENT)
                (void)note_original_destination(connection, &local, local_port);
        if (egress->connection_count > egress->connection_limit) {
                connection_refuse(connection, 503, "limit", "connections",
                        "too many connections of this sandbox are open", NULL);
                return;
        }
        connection->owner_question = owner_ask(egress->control, network, &remote, remote_port,
                &local, local_port, on_owner, connection);
        if (connection->owner_question == 0)
                connection_refuse(connection, 503, "owner", "unavailable",
                        "the launcher cannot say who this connection is from", NULL);
}

void connection_check_deadline(Connection *connection, int64_t now) {
        if (connection->state == CONNECTION_RELAYING) {
                const uint64_t moved = connection->relay.from[RELAY_CLIENT].moved +
                                       connection->relay.from[RELAY_UPSTREAM].moved;

                if (moved != connection->relayed && !connection->hello_begun)
                        connection->deadline = now + CONNECTION_IDLE_MS;
                connection->relayed = moved;
                if (now >= connection->deadline || now >= connection->began + CONNECTION_TOTAL_MS)
                        connection_close(connection);
                return;
        }
        if (now < connection->deadline)
                return;
        if (connection->state == CONNECTION_LINGERING)
                connection_close(connection);
        else if (connection->state == CONNECTION_ASKING && !connection->destination_known)
                connection_refuse(connection, 408, "request", "request_timeout",
                        "the request did not come in time", NULL);
        else if (connection->state <= CONNECTION_DECIDING)
                connection_refuse(connection, 503, "owner", "unavailable",
                        "the launcher did not say who this connection is from", NULL);
        else
                connection_fail(connection, &(Error){ .kind = ERROR_PEER,
                                                    .code = ETIMEDOUT,
                                                    .text = "the server did not answer in time" });
}

void connection_close(Connection *connection) {
        Egress *egress = connection->egress;

        control_forget(egress->control, connection->owner_question);
        judge_stop_waiting(&connection->wait);
        if (connection->resolution != NULL)
                resolution_cancel(connection->resolution);
        (void)upstream_cancel(connection->connecting);
        if (connection->relay.pipes != NULL)
                relay_done(&connection->relay);
        if (connection->watching_client)
                (void)event_del(&connection->client_event);
        if (connection->watching_upstream)
                (void)event_del(&connection->upstream_event);
        (void)fd_close(connection->client);
        (void)fd_close(connection->upstream);
        (void)owner_free(connection->owner);
        free(connection->forward_head);
        TAILQ_REMOVE(&egress->connections, connection, list);
        egress->connection_count--;
        free(connection);
}
