/* SPDX-License-Identifier: Apache-2.0 */

/* Out of descriptors or memory, accept fails at once and the socket stays readable: the listener
 * rests a little instead of spinning. */
#include "http/listener.h"

#include "base/fd.h"
#include "base/log.h"
#include "http/transport.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct timeval rest = { .tv_usec = 200000 };

struct Listener {
        struct event_base *loop;
        struct evconnlistener *socket;
        struct event *resume;
        Tls *tls;
        ListenerAccept accept;
        void *owner;
};

/* Small messages both ways, and clients that vanish without a word: found out after a minute and a
 * half. */
static void tune(int fd) {
        const int on = 1;
        const int idle = 30;
        const int interval = 15;
        const int count = 4;

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static bool find_peer(int fd, ListenerPeer *peer) {
        struct ucred credentials;
        socklen_t size = sizeof(credentials);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return false;
        *peer = (ListenerPeer){ .local = true, .uid = credentials.uid, .pid = credentials.pid };
        return true;
}

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address,
        int size, void *data) {
        Listener *listener = data;
        ListenerPeer peer = { 0 };
        Transport *transport;

        if (listener->tls != NULL) {
                tune(fd);
        } else if (!find_peer(fd, &peer)) {
                (void)fd_close(fd);
                return;
        }
        transport = transport_new(listener->loop, fd, listener->tls);
        if (transport != NULL)
                listener->accept(listener->owner, transport, &peer);
}

static void on_error(struct evconnlistener *socket, void *data) {
        Listener *listener = data;

        log_line(LOG_LEVEL_WARNING, "cannot accept a client: %s; resting", strerror(errno));
        (void)evconnlistener_disable(listener->socket);
        (void)event_add(listener->resume, &rest);
}

static void on_resume(int fd, short what, void *data) {
        Listener *listener = data;

        (void)evconnlistener_enable(listener->socket);
}

int listener_new(struct event_base *loop, int fd, Tls *tls, ListenerAccept accept, void *owner,
        Listener **ret_listener, Error *error) {
        Listener *listener = calloc(1, sizeof(*listener));

        if (listener != NULL) {
                *listener =
                        (Listener){ .loop = loop, .tls = tls, .accept = accept, .owner = owner };
                listener->resume = evtimer_new(loop, on_resume, listener);
                /* Backlog 0: it listens already. */
                listener->socket = evconnlistener_new(loop, on_accept, listener,
                        LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, fd);
        }
        if (listener == NULL || listener->resume == NULL || listener->socket == NULL ||
                fd_set_nonblocking(fd) < 0) {
                if (listener == NULL || listener->socket == NULL)
                        (void)fd_close(fd);
                if (listener == NULL)
                        (void)tls_free(tls);
                (void)listener_free(listener);
                return error_set(error, ERROR_LIMIT, 0, "no memory for a listener");
        }
        evconnlistener_set_error_cb(listener->socket, on_error);
        *ret_listener = listener;
        return 0;
}

Listener *listener_free(Listener *listener) {
        if (listener == NULL)
                return NULL;
        if (listener->socket != NULL)
                evconnlistener_free(listener->socket);
        if (listener->resume != NULL)
                event_free(listener->resume);
        (void)tls_free(listener->tls);
        free(listener);
        return NULL;
}

void listener_set_tls(Listener *listener, Tls *tls) {
        (void)tls_free(listener->tls);
        listener->tls = tls;
}
