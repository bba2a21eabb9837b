/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Asked of the launcher -> the socket is on its way -> open. Input that comes before it is open
 * waits in the same buffer that becomes the connection's.
 */
#include "sidecar/gateway/tunnel.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "sidecar/gateway/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define OUTPUT_PIECE 16384U

struct Tunnel {
        struct event_base *loop;
        uint16_t port;
        ControlRequest *asked; /* NULL once answered */
        int arriving;          /* the socket until it is connected, else -1 */
        struct event *arrival;
        struct evbuffer *early; /* input until then, else NULL */
        struct bufferevent *connection;
        bool input_ended, input_shut;
        bool output_ending; /* no more comes from the socket; what came is being told */
        bool failed;        /* it takes no input any more either */
        bool paused;
        const TunnelEvents *events;
        void *owner;
};

static void shut_input(Tunnel *tunnel) {
        if (tunnel->input_shut || !tunnel->input_ended ||
                evbuffer_get_length(bufferevent_get_output(tunnel->connection)) > 0)
                return;
        tunnel->input_shut = true;
        (void)shutdown(bufferevent_getfd(tunnel->connection), SHUT_WR);
}

static void on_readable(struct bufferevent *connection, void *data) {
        Tunnel *tunnel = data;
        uint8_t piece[OUTPUT_PIECE];
        int n;

        if (tunnel->paused)
                return;
        /* One piece a round: the owner may free us, and its other tunnels want their turn. */
        n = evbuffer_remove(bufferevent_get_input(connection), piece, sizeof(piece));
        if (n > 0)
                bufferevent_trigger(connection, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
        if (n > 0 || tunnel->output_ending)
                tunnel->events->output(tunnel->owner, piece, n > 0 ? (size_t)n : 0);
}

static void on_writable(struct bufferevent *connection, void *data) {
        Tunnel *tunnel = data;

        shut_input(tunnel);
        tunnel->events->room(tunnel->owner);
}

static void on_end(struct bufferevent *connection, short what, void *data) {
        Tunnel *tunnel = data;

        if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
                return;
        tunnel->output_ending = true;
        tunnel->failed = (what & BEV_EVENT_ERROR) != 0;
        bufferevent_trigger(connection, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

static void fail(Tunnel *tunnel, int code) {
        char why[128];

        (void)snprintf(why, sizeof(why), "cannot connect to port %u of the sandbox: %s",
                tunnel->port, strerror(code));
        tunnel->failed = true;
        tunnel->events->failed(tunnel->owner, why);
}

static void on_arrival(int fd, short what, void *data) {
        Tunnel *tunnel = data;
        int code = 0;
        socklen_t size = sizeof(code);

        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
        if (code != 0) {
                fail(tunnel, code);
                return;
        }
        tunnel->connection = bufferevent_socket_new(
                tunnel->loop, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if (tunnel->connection == NULL) {
                fail(tunnel, ENOMEM);
                return;
        }
        tunnel->arriving = -1;
        bufferevent_setcb(tunnel->connection, on_readable, on_writable, on_end, tunnel);
        bufferevent_setwatermark(tunnel->connection, EV_READ, 0, TUNNEL_INPUT_MAX);
        (void)bufferevent_write_buffer(tunnel->connection, tunnel->early);
        (void)bufferevent_enable(
                tunnel->connection, (short)(EV_WRITE | (tunnel->paused ? 0 : EV_READ)));
        shut_input(tunnel);
}

static void on_connected(void *owner, int fd) {
        Tunnel *tunnel = owner;

        tunnel->asked = NULL;
        tunnel->arriving = fd;
        (void)fd_set_nonblocking(fd);
        tunnel->arrival = event_new(tunnel->loop, fd, EV_WRITE, on_arrival, tunnel);
        if (tunnel->arrival == NULL || event_add(tunnel->arrival, NULL) != 0)
                fail(tunnel, ENOMEM);
}

static void on_refused(void *owner, const char *why) {
        Tunnel *tunnel = owner;

        tunnel->asked = NULL;
        tunnel->failed = true;
        tunnel->events->failed(tunnel->owner, why);
}

static const ControlConnectEvents connect_events = { on_connected, on_refused };

Tunnel *tunnel_new(struct event_base *loop, Control *control, uint16_t port,
        const TunnelEvents *events, void *owner) {
        Tunnel *tunnel = calloc(1, sizeof(*tunnel));

        if (tunnel == NULL)
                return NULL;
        *tunnel = (Tunnel){
                .loop = loop, .port = port, .arriving = -1, .events = events, .owner = owner
        };
        tunnel->early = evbuffer_new();
        if (tunnel->early != NULL)
                tunnel->asked = control_connect(control, port, &connect_events, tunnel);
        return tunnel->asked != NULL ? tunnel : tunnel_free(tunnel);
}

Tunnel *tunnel_free(Tunnel *tunnel) {
        if (tunnel == NULL)
                return NULL;
        if (tunnel->asked != NULL)
                control_connect_leave(tunnel->asked);
        if (tunnel->arrival != NULL)
                event_free(tunnel->arrival);
        if (tunnel->connection != NULL)
                bufferevent_free(tunnel->connection);
        if (tunnel->early != NULL)
                evbuffer_free(tunnel->early);
        (void)fd_close(tunnel->arriving);
        free(tunnel);
        return NULL;
}

static struct evbuffer *waiting_input(const Tunnel *tunnel) {
        return tunnel->connection != NULL ? bufferevent_get_output(tunnel->connection)
                                          : tunnel->early;
}

void tunnel_input(Tunnel *tunnel, const uint8_t *data, size_t size) {
        if (!tunnel->input_ended && !tunnel->failed)
                (void)evbuffer_add(waiting_input(tunnel), data, size);
}

void tunnel_end_input(Tunnel *tunnel) {
        tunnel->input_ended = true;
        if (tunnel->connection != NULL)
                shut_input(tunnel);
}

bool tunnel_is_full(const Tunnel *tunnel) {
        return evbuffer_get_length(waiting_input(tunnel)) >= TUNNEL_INPUT_MAX;
}

void tunnel_pause(Tunnel *tunnel) {
        tunnel->paused = true;
        if (tunnel->connection != NULL)
                (void)bufferevent_disable(tunnel->connection, EV_READ);
}

void tunnel_resume(Tunnel *tunnel) {
        tunnel->paused = false;
        if (tunnel->connection == NULL)
                return;
        if (!tunnel->output_ending)
                (void)bufferevent_enable(tunnel->connection, EV_READ);
        bufferevent_trigger(tunnel->connection, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}
