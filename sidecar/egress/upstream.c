/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/upstream.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "sidecar/egress/socket.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct Attempt {
        Upstream *upstream;
        Address address;
        int fd;
        struct event *event; /* NULL: not started, or over */
} Attempt;

struct Upstream {
        struct event_base *loop; /* borrowed */
        UpstreamDone *done;
        void *context;
        uint16_t port;
        Attempt attempts[UPSTREAM_ADDRESSES_MAX];
        size_t count, started, running;
        struct event *rival; /* starts the next one */
        struct event *deadline;
        int code; /* of the last failure */
};

static const struct timeval rival_after = { .tv_usec = UPSTREAM_RIVAL_MS * 1000 };
static const struct timeval give_up_after = { .tv_sec = UPSTREAM_TIMEOUT_SECONDS };

static void attempt_end(Attempt *attempt) {
        if (attempt->event == NULL)
                return;
        event_free(attempt->event);
        attempt->event = NULL;
        attempt->fd = fd_close(attempt->fd);
        attempt->upstream->running--;
}

Upstream *upstream_cancel(Upstream *upstream) {
        if (upstream == NULL)
                return NULL;
        for (size_t i = 0; i < upstream->started; i++)
                attempt_end(&upstream->attempts[i]);
        if (upstream->rival != NULL)
                event_free(upstream->rival);
        if (upstream->deadline != NULL)
                event_free(upstream->deadline);
        free(upstream);
        return NULL;
}
DEFINE_CLEANUP(Upstream *, upstream_cancel);

static void finish(Upstream *upstream, int fd, const Address *address) {
        UpstreamDone *done = upstream->done;
        void *context = upstream->context;
        const uint16_t port = upstream->port;
        const int code = upstream->code;
        char text[ADDRESS_TEXT_SIZE];
        Address to = *address;
        Error error = { 0 };

        (void)upstream_cancel(upstream);
        if (fd < 0) {
                address_format(&to, text);
                (void)error_set(
                        &error, ERROR_PEER, code, "cannot connect to %s port %u", text, port);
        }
        done(context, fd, &to, fd < 0 ? &error : NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *context);

/* Starts the next address that can be started at all. False when there is none left. */
static bool start_next(Upstream *upstream) {
        while (upstream->started < upstream->count) {
                Attempt *attempt = &upstream->attempts[upstream->started++];

                attempt->fd = socket_connect(&attempt->address, upstream->port);
                if (attempt->fd < 0) {
                        upstream->code = -attempt->fd;
                        attempt->fd = -1;
                        continue;
                }
                attempt->event =
                        event_new(upstream->loop, attempt->fd, EV_WRITE, on_writable, attempt);
                if (attempt->event == NULL || event_add(attempt->event, NULL) < 0) {
                        upstream->code = ENOMEM;
                        attempt->fd = fd_close(attempt->fd);
                        continue;
                }
                upstream->running++;
                if (upstream->started < upstream->count)
                        (void)event_add(upstream->rival, &rival_after);
                return true;
        }
        return false;
}

static void on_rival(evutil_socket_t fd, short what, void *context) {
        Upstream *upstream = context;

        if (!start_next(upstream) && upstream->running == 0)
                finish(upstream, -1, &upstream->attempts[upstream->count - 1].address);
}

static void on_deadline(evutil_socket_t fd, short what, void *context) {
        Upstream *upstream = context;

        upstream->code = ETIMEDOUT;
        finish(upstream, -1, &upstream->attempts[0].address);
}

static void on_writable(evutil_socket_t fd, short what, void *context) {
        Attempt *attempt = context;
        Upstream *upstream = attempt->upstream;
        socklen_t size = sizeof(int);
        int code = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
                code = errno;
        if (code != 0) {
                upstream->code = code;
                attempt_end(attempt);
                on_rival(-1, 0, upstream);
                return;
        }
        /* The winner's socket outlives its attempt. */
        event_free(attempt->event);
        attempt->event = NULL;
        upstream->running--;
        finish(upstream, take_fd(attempt->fd), &attempt->address);
}

/* The families take turns, IPv6 first; within a family the resolver's order stays. */
static void interleave(Upstream *upstream, const Address *addresses, size_t count) {
        size_t next[2] = { 0, 0 }; /* of IPv6, of IPv4 */

        for (unsigned turn = 0; upstream->count < count; turn++) {
                const uint8_t family = turn % 2 == 0 ? 6 : 4;
                size_t *at = &next[turn % 2];

                while (*at < count && addresses[*at].family != family)
                        (*at)++;
                if (*at < count)
                        upstream->attempts[upstream->count++] = (Attempt){
                                .upstream = upstream,
                                .address = addresses[(*at)++],
                                .fd = -1,
                        };
        }
}

int upstream_connect(struct event_base *loop, const Address *addresses, size_t count, uint16_t port,
        UpstreamDone *done, void *context, Upstream **ret_upstream, Error *error) {
        cleanup(upstream_cancelp) Upstream *upstream = calloc(1, sizeof(*upstream));

        assert(count > 0);
        if (upstream == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot connect");
        upstream->loop = loop;
        upstream->done = done;
        upstream->context = context;
        upstream->port = port;
        interleave(upstream, addresses,
                count < UPSTREAM_ADDRESSES_MAX ? count : UPSTREAM_ADDRESSES_MAX);
        upstream->rival = event_new(loop, -1, 0, on_rival, upstream);
        upstream->deadline = event_new(loop, -1, 0, on_deadline, upstream);
        if (upstream->rival == NULL || upstream->deadline == NULL ||
                event_add(upstream->deadline, &give_up_after) < 0)
                return error_set(error, ERROR_OS, ENOMEM, "cannot connect");
        if (!start_next(upstream))
                event_active(upstream->rival, 0, 0); /* which finds nothing to start and says so */
        *ret_upstream = take_ptr(upstream);
        return 0;
}
