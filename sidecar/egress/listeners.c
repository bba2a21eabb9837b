/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/listeners.h"

#include "base/fd.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPTS_A_TURN 64
#define PRIVILEGED_PORTS                                                                           \
        1024U       /* net.ipv4.ip_unprivileged_port_start of a new network namespace              \
                     */
#define PAUSE_MS 50 /* when no descriptor is left */

typedef enum ListenerState {
        LISTENER_FREE,
        LISTENER_ASKED,
        LISTENER_OPEN,
        LISTENER_REFUSED
} ListenerState;

typedef struct Listener {
        Listeners *listeners;
        ListenerState state;
        ListenerKind kind;
        int fd;
        struct event *event;
        Address address; /* all bytes 0: every address; of transparent ones */
        uint16_t port;
        bool wanted, paused;
        uint32_t question;
} Listener;

struct Listeners {
        struct event_base *loop; /* borrowed, as the control */
        Control *control;
        ListenersHandler handler;
        struct event *resume; /* listeners that were paused */
        Listener items[LISTENERS_MAX];
        uint32_t used;              /* items beyond were never used */
        uint16_t ports[UINT16_MAX]; /* of the policy */
        uint32_t port_count;
        uint8_t wide[UINT16_MAX + 1]; /* by port: a listener on every address */
};

/* ---- accepting ---- */

/* Without a descriptor to accept with, the loop would turn without end. */
static void pause_listener(Listener *listener) {
        const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };

        listener->paused = event_add(listener->listeners->resume, &pause) == 0;
        if (listener->paused)
                (void)event_del(listener->event);
}

static void on_resume(evutil_socket_t fd, short what, void *context) {
        Listeners *listeners = context;

        for (uint32_t i = 0; i < listeners->used; i++) {
                Listener *listener = &listeners->items[i];

                if (listener->state == LISTENER_OPEN && listener->paused)
                        listener->paused = event_add(listener->event, NULL) < 0;
        }
}

static void on_connection(evutil_socket_t fd, short what, void *context) {
        Listener *listener = context;
        const ListenersHandler *handler = &listener->listeners->handler;

        for (int i = 0; i < ACCEPTS_A_TURN; i++) {
                struct sockaddr_storage peer;
                socklen_t size = sizeof(peer);
                int client =
                        accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (client >= 0) {
                        handler->accepted(handler->context, listener->kind, client, &peer);
                        continue;
                }
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        pause_listener(listener);
                if (errno != ECONNABORTED && errno != EINTR)
                        return;
        }
}

static int open_listener(Listener *listener, int fd) {
        Listeners *listeners = listener->listeners;
        int r = fd_set_nonblocking(fd);

        listener->event = r < 0 ? NULL
                                : event_new(listeners->loop, fd, EV_READ | EV_PERSIST,
                                          on_connection, listener);
        if (listener->event == NULL || event_add(listener->event, NULL) < 0) {
                if (listener->event != NULL)
                        event_free(listener->event);
                listener->event = NULL;
                (void)fd_close(fd);
                return -1;
        }
        listener->fd = fd;
        listener->state = LISTENER_OPEN;
        return 0;
}

static void close_listener(Listener *listener) {
        if (listener->event != NULL)
                event_free(listener->event);
        listener->event = NULL;
        listener->fd = fd_close(listener->fd);
        listener->state = LISTENER_FREE;
}

static Listener *take_item(Listeners *listeners) {
        for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
                Listener *listener = &listeners->items[i];

                if (listener->state != LISTENER_FREE)
                        continue;
                if (i >= listeners->used)
                        listeners->used = i + 1;
                *listener = (Listener){ .listeners = listeners, .fd = -1 };
                return listener;
        }
        return NULL;
}

int listeners_add(Listeners *listeners, ListenerKind kind, int fd) {
        Listener *listener = take_item(listeners);

        if (listener == NULL) {
                (void)fd_close(fd);
                return -1;
        }
        listener->kind = kind;
        return open_listener(listener, fd);
}

/* ---- asking for more ---- */

static bool is_every_address(const Address *address) {
        static const uint8_t zero[16];

        return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

static WireSocket wire_socket(const Listener *listener) {
        WireSocket where = { .family = listener->address.family, .port = listener->port };

        memcpy(where.bytes, listener->address.bytes, sizeof(where.bytes));
        return where;
}

static void on_answer(void *context, WireMessage *message) {
        Listener *listener = context;
        Listeners *listeners = listener->listeners;
        const ListenersHandler *handler = &listeners->handler;
        uint32_t code = EPROTO;
        int fd;

        listener->question = 0;
        listener->state = LISTENER_REFUSED;
        if (message->header.type == WIRE_LISTENING && wire_listening_read(message, &fd, NULL) == 0)
                code = open_listener(listener, fd) < 0 ? ENOMEM : 0;
        else if (message->header.type == WIRE_LISTEN_REFUSED)
                (void)wire_listen_refused_read(message, &code, NULL);
        if (code != 0)
                handler->refused(handler->context, &listener->address, listener->port, code);
}

static void ask(Listener *listener) {
        Listeners *listeners = listener->listeners;
        const WireSocket where = wire_socket(listener);

        listener->state = LISTENER_REFUSED;
        listener->question = control_expect(listeners->control, on_answer, listener);
        if (listener->question == 0)
                return;
        if (wire_listen_write(control_fd(listeners->control), listener->question, &where) < 0) {
                control_forget(listeners->control, listener->question);
                listener->question = 0;
                return;
        }
        listener->state = LISTENER_ASKED;
}

static Listener *find(Listeners *listeners, const Address *address, uint16_t port) {
        for (uint32_t i = 0; i < listeners->used; i++) {
                Listener *listener = &listeners->items[i];

                if (listener->state != LISTENER_FREE && listener->kind == LISTENER_TRANSPARENT &&
                        listener->port == port && address_equal(&listener->address, address))
                        return listener;
        }
        return NULL;
}

/* Marks what is wanted; send_wanted() asks for it when what is not wanted any more has gone, since
 * one can be in the way of the other. */
static void want(Listeners *listeners, const Address *address, uint16_t port) {
        Listener *listener = find(listeners, address, port);

        if (listener == NULL) {
                listener = take_item(listeners);
                if (listener == NULL)
                        return;
                listener->kind = LISTENER_TRANSPARENT;
                listener->address = *address;
                listener->port = port;
                listener->state = LISTENER_REFUSED;
        }
        listener->wanted = true;
}

static void send_wanted(Listeners *listeners) {
        for (uint32_t i = 0; i < listeners->used; i++) {
                Listener *listener = &listeners->items[i];

                if (listener->kind == LISTENER_TRANSPARENT && listener->wanted &&
                        listener->state == LISTENER_REFUSED)
                        ask(listener);
        }
}

static void drop_unwanted(Listeners *listeners) {
        for (uint32_t i = 0; i < listeners->used; i++) {
                Listener *listener = &listeners->items[i];
                const WireSocket where = wire_socket(listener);

                if (listener->state == LISTENER_FREE || listener->kind != LISTENER_TRANSPARENT ||
                        listener->wanted)
                        continue;
                control_forget(listeners->control, listener->question);
                (void)wire_unlisten_write(control_fd(listeners->control), &where);
                close_listener(listener);
        }
}

/* ---- what a policy needs ---- */

static Address every_address(uint8_t family) {
        return (Address){ .family = family };
}

static Address loopback(uint8_t family) {
        static const uint8_t ipv4[4] = { 127, 0, 0, 1 }, ipv6[16] = { [15] = 1 };

        return family == 4 ? address_from_bytes(ipv4, sizeof(ipv4))
                           : address_from_bytes(ipv6, sizeof(ipv6));
}

static void want_both(Listeners *listeners, Address one, Address other, uint16_t port) {
        want(listeners, &one, port);
        want(listeners, &other, port);
}

static bool needs_every_address(const PolicyEndpoint *endpoint) {
        if (endpoint->host[0] != '\0' && !endpoint->exact)
                return true;
        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++)
                if (!address_range_is_single(&endpoint->allowed_ips[i]))
                        return true;
        return false;
}

typedef void EndpointVisitor(Listeners *listeners, const PolicyEndpoint *endpoint, void *context);

static void each_endpoint(
        Listeners *listeners, const Policy *policy, EndpointVisitor *visit, void *context) {
        for (uint32_t i = 0; i < policy->network_count; i++)
                for (uint32_t j = 0; j < policy->networks[i].endpoint_count; j++)
                        visit(listeners, &policy->networks[i].endpoints[j], context);
}

static void mark_wide(Listeners *listeners, const PolicyEndpoint *endpoint, void *context) {
        uint16_t *names = context; /* by port */

        for (uint32_t i = 0; i < endpoint->port_count; i++) {
                const uint16_t port = endpoint->ports[i];

                if (port < PRIVILEGED_PORTS || needs_every_address(endpoint) ||
                        ++names[port] > LISTENERS_NARROW_MAX)
                        listeners->wide[port] = 1;
        }
}

static void want_endpoint(Listeners *listeners, const PolicyEndpoint *endpoint, void *context) {
        Address literal;

        for (uint32_t i = 0; i < endpoint->port_count; i++) {
                const uint16_t port = endpoint->ports[i];

                if (listeners->wide[port])
                        continue;
                if (strcmp(endpoint->host, "localhost") == 0)
                        want_both(listeners, loopback(4), loopback(6), port);
                if (endpoint->exact && address_parse(endpoint->host, &literal))
                        want(listeners, &literal, port);
                for (uint32_t j = 0; j < endpoint->allowed_ip_count; j++)
                        want(listeners, &endpoint->allowed_ips[j].address, port);
        }
}

/* By asking the policy, so that what is listened for is what it will decide about, its ceiling
 * included. */
static bool name_has_port(const Policy *policy, const char *host, uint16_t port) {
        const PolicyRequest request = { .host = host, .port = port };
        const PolicyReason reason = policy_decide(policy, &request).reason;

        return reason != POLICY_REASON_HOST && reason != POLICY_REASON_PORT &&
               reason != POLICY_REASON_BAD_HOST;
}

static void want_name(Listeners *listeners, const Policy *policy, const char *host,
        const Address *ipv4, const Address *ipv6) {
        for (uint32_t i = 0; i < listeners->port_count; i++) {
                const uint16_t port = listeners->ports[i];

                if (!listeners->wide[port] && name_has_port(policy, host, port))
                        want_both(listeners, *ipv4, *ipv6, port);
        }
}

typedef struct Pinning {
        const Policy *policy;
        Pool *pool;
        int64_t now;
} Pinning;

static void pin_name(Listeners *listeners, const PolicyEndpoint *endpoint, void *context) {
        const Pinning *pinning = context;
        Address ipv4, ipv6, literal;
        bool pinned, fresh;

        if (!endpoint->exact || endpoint->host[0] == '\0' ||
                strcmp(endpoint->host, "localhost") == 0 || address_parse(endpoint->host, &literal))
                return;
        if (pool_pin(pinning->pool, endpoint->host, pinning->now) &&
                pool_add(
                        pinning->pool, endpoint->host, &ipv4, &ipv6, pinning->now, &pinned, &fresh))
                want_name(listeners, pinning->policy, endpoint->host, &ipv4, &ipv6);
}

void listeners_set_policy(Listeners *listeners, const Policy *policy, Pool *pool, int64_t now) {
        Pinning pinning = { .policy = policy, .pool = pool, .now = now };
        uint16_t *names = calloc(UINT16_MAX + 1, sizeof(*names));

        for (uint32_t i = 0; i < listeners->used; i++)
                listeners->items[i].wanted = false;
        memset(listeners->wide, 0, sizeof(listeners->wide));
        listeners->port_count = policy_ports(policy, listeners->ports, UINT16_MAX);
        if (names != NULL)
                each_endpoint(listeners, policy, mark_wide, names);
        free(names);
        for (uint32_t i = 0; i < listeners->port_count; i++)
                if (listeners->wide[listeners->ports[i]])
                        want_both(
                                listeners, every_address(4), every_address(6), listeners->ports[i]);
        each_endpoint(listeners, policy, want_endpoint, NULL);
        pool_unpin(pool);
        each_endpoint(listeners, policy, pin_name, &pinning);
        drop_unwanted(listeners);
        send_wanted(listeners);
}

bool listeners_cover(const Listeners *listeners, const Address *address, uint16_t port) {
        for (uint32_t i = 0; i < listeners->used; i++) {
                const Listener *listener = &listeners->items[i];

                if (listener->state == LISTENER_OPEN && listener->kind == LISTENER_TRANSPARENT &&
                        listener->port == port && listener->address.family == address->family &&
                        (is_every_address(&listener->address) ||
                                address_equal(&listener->address, address)))
                        return true;
        }
        return false;
}

/* ---- life ---- */

Listeners *listeners_new(
        struct event_base *loop, Control *control, const ListenersHandler *handler) {
        Listeners *listeners = calloc(1, sizeof(*listeners));

        if (listeners == NULL)
                return NULL;
        listeners->loop = loop;
        listeners->control = control;
        listeners->handler = *handler;
        listeners->resume = event_new(loop, -1, 0, on_resume, listeners);
        return listeners->resume != NULL ? listeners : listeners_free(listeners);
}

Listeners *listeners_free(Listeners *listeners) {
        for (uint32_t i = 0; listeners != NULL && i < listeners->used; i++)
                if (listeners->items[i].state != LISTENER_FREE)
                        close_listener(&listeners->items[i]);
        if (listeners != NULL && listeners->resume != NULL)
                event_free(listeners->resume);
        free(listeners);
        return NULL;
}
