/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What bufferevents want treated with care is treated here:
 * - reading is braked by disabling EV_READ; a high watermark would leave bytes inside the TLS
 * library with no event to fetch them,
 * - bytes that are in the input buffer already raise no event when reading is enabled again, so one
 * is triggered by hand,
 * - a free drops unsent output and says nothing to the peer: finishing flushes, says the end, and
 * waits for the peer's,
 * - with reading disabled nobody sees the peer leave, so it is looked for once a second.
 * (libevent's EV_CLOSED would do but for a reset connection: that is reported as readable, nobody
 * takes it, and the loop spins.)
 */
#include "http/transport.h"

#include "base/fd.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum TransportState {
        TRANSPORT_OPEN = 1,
        TRANSPORT_FLUSHING,  /* finish was asked for, output is not empty */
        TRANSPORT_LINGERING, /* the end is said; the peer's is awaited */
        TRANSPORT_GONE,
} TransportState;

/* A person who reads in a pager takes what is left when they go on; the memory that waits is
 * bounded. */
static const struct timeval flush_limit = { .tv_sec = 600 };
static const struct timeval linger_limit = { .tv_sec = 2 };
static const struct timeval look_interval = { .tv_sec = 1 };

struct Transport {
        struct bufferevent *connection;
        bool is_tls;
        TransportState state;
        struct event *timer; /* of flushing and lingering */
        struct event *look;  /* for the peer's end while reading is paused */
        const TransportEvents *events;
        void *owner;
};

static void leave(Transport *transport) {
        if (transport->state == TRANSPORT_GONE)
                return;
        transport->state = TRANSPORT_GONE;
        (void)bufferevent_disable(transport->connection, EV_READ | EV_WRITE);
        (void)event_del(transport->look);
        (void)event_del(transport->timer);
        if (transport->events != NULL)
                transport->events->gone(transport->owner);
}

static void drop_input(Transport *transport) {
        struct evbuffer *input = transport_input(transport);

        (void)evbuffer_drain(input, evbuffer_get_length(input));
}

static void say_end(Transport *transport) {
        transport->state = TRANSPORT_LINGERING;
        if (transport->is_tls)
                tls_shutdown(transport->connection);
        (void)shutdown(bufferevent_getfd(transport->connection), SHUT_WR);
        (void)event_add(transport->timer, &linger_limit);
}

static void on_readable(struct bufferevent *connection, void *data) {
        Transport *transport = data;

        if (transport->state != TRANSPORT_OPEN)
                drop_input(transport);
        else if (transport->events != NULL)
                transport->events->readable(transport->owner);
}

static void on_writable(struct bufferevent *connection, void *data) {
        Transport *transport = data;

        if (transport->state == TRANSPORT_FLUSHING &&
                evbuffer_get_length(transport_output(transport)) == 0)
                say_end(transport);
        else if (transport->state == TRANSPORT_OPEN && transport->events != NULL)
                transport->events->room(transport->owner);
}

static void on_event(struct bufferevent *connection, short what, void *data) {
        if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
                leave(data);
}

static void on_look(int fd, short what, void *data) {
        Transport *transport = data;
        struct pollfd look = { .fd = bufferevent_getfd(transport->connection),
                .events = POLLRDHUP };

        if (poll(&look, 1, 0) > 0)
                leave(transport);
}

static void on_timer(int fd, short what, void *data) {
        leave(data);
}

static struct bufferevent *accept_plain(struct event_base *loop, int fd) {
        return bufferevent_socket_new(loop, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

Transport *transport_new(struct event_base *loop, int fd, Tls *tls) {
        Transport *transport = calloc(1, sizeof(*transport));

        if (transport != NULL) {
                transport->state = TRANSPORT_OPEN;
                transport->is_tls = tls != NULL;
                transport->connection =
                        tls != NULL ? tls_accept(tls, loop, fd) : accept_plain(loop, fd);
        }
        if (transport == NULL || transport->connection == NULL) {
                (void)fd_close(fd);
                free(transport);
                return NULL;
        }
        transport->timer = evtimer_new(loop, on_timer, transport);
        transport->look = event_new(loop, -1, EV_PERSIST, on_look, transport);
        if (transport->timer == NULL || transport->look == NULL)
                return transport_free(transport);
        bufferevent_setcb(transport->connection, on_readable, on_writable, on_event, transport);
        bufferevent_setwatermark(transport->connection, EV_WRITE, TRANSPORT_OUTPUT_LOW, 0);
        (void)bufferevent_enable(transport->connection, EV_READ | EV_WRITE);
        return transport;
}

Transport *transport_free(Transport *transport) {
        if (transport == NULL)
                return NULL;
        if (transport->look != NULL)
                event_free(transport->look);
        if (transport->timer != NULL)
                event_free(transport->timer);
        bufferevent_setcb(transport->connection, NULL, NULL, NULL, NULL);
        bufferevent_free(transport->connection);
        free(transport);
        return NULL;
}

void transport_set_owner(Transport *transport, const TransportEvents *events, void *owner) {
        transport->events = events;
        transport->owner = owner;
        if (evbuffer_get_length(transport_input(transport)) > 0)
                bufferevent_trigger(transport->connection, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

struct evbuffer *transport_input(Transport *transport) {
        return bufferevent_get_input(transport->connection);
}

struct evbuffer *transport_output(Transport *transport) {
        return bufferevent_get_output(transport->connection);
}

bool transport_is_full(Transport *transport) {
        return evbuffer_get_length(transport_output(transport)) >= TRANSPORT_OUTPUT_HIGH;
}

void transport_pause(Transport *transport) {
        if (transport->state != TRANSPORT_OPEN)
                return;
        (void)bufferevent_disable(transport->connection, EV_READ);
        (void)event_add(transport->look, &look_interval);
}

void transport_resume(Transport *transport) {
        if (transport->state != TRANSPORT_OPEN)
                return;
        (void)event_del(transport->look);
        (void)bufferevent_enable(transport->connection, EV_READ);
        bufferevent_trigger(transport->connection, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

void transport_finish(Transport *transport) {
        if (transport->state != TRANSPORT_OPEN)
                return;
        transport_resume(transport);
        transport->state = TRANSPORT_FLUSHING;
        /* With a low mark of 0 the write callback means that the kernel has all of it. */
        bufferevent_setwatermark(transport->connection, EV_WRITE, 0, 0);
        (void)event_add(transport->timer, &flush_limit);
        if (evbuffer_get_length(transport_output(transport)) == 0)
                bufferevent_trigger(transport->connection, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}
