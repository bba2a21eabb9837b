/* SPDX-License-Identifier: Apache-2.0 */

#include "webhook/webhook.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "http/confine.h"
#include "http/listener.h"
#include "http/tls.h"
#include "http/transport.h"
#include "webhook/certificate.h"
#include "webhook/client.h"
#include "webhook/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define BACKLOG 128

/* The kubelet brings a changed Secret within about a minute. */
static const struct timeval certificate_interval = { .tv_sec = 10 };
/* The API server's list of endpoints is that long behind, and requests still come. */
static const struct timeval ending_time = { .tv_sec = 5 };

typedef struct Place {
        TAILQ_ENTRY(Place) entry;
        Webhook *webhook;
        Client *client;
} Place;

TAILQ_HEAD(PlaceList, Place);

struct Webhook {
        struct event_base *loop;
        Settings *settings;
        Certificate certificate;
        Listener *listener;
        struct PlaceList places; /* the oldest connection first */
        unsigned count;
        bool ending;
        struct event *terminate, *interrupt, *renew, *end;
};

/* --- clients --- */

static void place_free(Place *place) {
        Webhook *webhook = place->webhook;

        TAILQ_REMOVE(&webhook->places, place, entry);
        webhook->count--;
        (void)client_free(place->client);
        free(place);
}

static void on_gone(void *owner) {
        place_free(owner);
}

static bool on_ready(void *owner) {
        const Place *place = owner;

        return !place->webhook->ending;
}

/* Whoever means it has sent its body within milliseconds: the oldest ones make room. */
static void on_body(void *owner, size_t size) {
        Place *place = owner;
        Webhook *webhook = place->webhook;
        Place *each, *next;
        size_t awaited = 0;

        TAILQ_FOREACH(each, &webhook->places, entry)
        awaited += client_awaits(each->client);
        for (each = TAILQ_FIRST(&webhook->places); each != NULL && awaited > WEBHOOK_BODIES_MAX;
                each = next) {
                next = TAILQ_NEXT(each, entry);
                if (each == place || client_awaits(each->client) == 0)
                        continue;
                awaited -= client_awaits(each->client);
                place_free(each);
        }
}

static const ClientEvents client_events = { on_body, on_ready, on_gone };

static void on_accept(void *owner, Transport *transport, const ListenerPeer *peer) {
        Webhook *webhook = owner;
        Place *place = calloc(1, sizeof(*place));

        if (place == NULL) {
                (void)transport_free(transport);
                return;
        }
        if (webhook->count >= WEBHOOK_CLIENTS_MAX)
                place_free(TAILQ_FIRST(&webhook->places));
        place->webhook = webhook;
        place->client =
                client_new(webhook->loop, transport, webhook->settings, &client_events, place);
        if (place->client == NULL) {
                free(place);
                return;
        }
        TAILQ_INSERT_TAIL(&webhook->places, place, entry);
        webhook->count++;
}

/* --- certificate and end --- */

static void on_renew(int fd, short what, void *owner) {
        Webhook *webhook = owner;
        Error error = { 0 };
        Tls *tls = NULL;
        int r = certificate_load(&webhook->certificate, &tls, &error);

        if (r > 0) {
                listener_set_tls(webhook->listener, tls);
                log_line(LOG_LEVEL_INFO, "the certificate was replaced");
        } else if (r < 0) {
                (void)log_error(&error, "the certificate stays the one that was");
        }
}

static void on_end(int fd, short what, void *owner) {
        Webhook *webhook = owner;

        (void)event_base_loopbreak(webhook->loop);
}

static void on_signal(int number, short what, void *owner) {
        Webhook *webhook = owner;

        webhook->ending = true;
        (void)event_add(webhook->end, &ending_time);
}

/* --- making it --- */

static int bind_family(sa_family_t family, unsigned short port) {
        struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
        struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
        const struct sockaddr *address = family == AF_INET6 ? (const struct sockaddr *)&any6
                                                            : (const struct sockaddr *)&any4;
        socklen_t size = family == AF_INET6 ? sizeof(any6) : sizeof(any4);
        const int on = 1, off = 0;
        cleanup_fd int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -1;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
        if (bind(fd, address, size) < 0 || listen(fd, BACKLOG) < 0)
                return -1;
        return take_fd(fd);
}

/* Both families on one socket, where the node has IPv6. */
static int open_port(unsigned short port, int *ret_fd, Error *error) {
        struct sockaddr_in6 bound = { 0 };
        socklen_t size = sizeof(bound);
        int fd = bind_family(AF_INET6, port);

        if (fd < 0 && errno != EADDRINUSE)
                fd = bind_family(AF_INET, port);
        if (fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot listen on port %u", (unsigned)port);
        /* The port stands at the same place in both families' addresses. */
        if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0)
                log_line(LOG_LEVEL_INFO, "listening on port %u", (unsigned)ntohs(bound.sin6_port));
        *ret_fd = fd;
        return 0;
}

static int load_settings(Webhook *webhook, const char *path, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;

        if (file_read(AT_FDCWD, path, SETTINGS_SIZE_MAX, &text, &size, error) < 0)
                return -1;
        return settings_parse(text, size, &webhook->settings, error);
}

static int make_events(Webhook *webhook, Error *error) {
        webhook->terminate = evsignal_new(webhook->loop, SIGTERM, on_signal, webhook);
        webhook->interrupt = evsignal_new(webhook->loop, SIGINT, on_signal, webhook);
        webhook->renew = event_new(webhook->loop, -1, EV_PERSIST, on_renew, webhook);
        webhook->end = evtimer_new(webhook->loop, on_end, webhook);
        if (webhook->terminate == NULL || webhook->interrupt == NULL || webhook->renew == NULL ||
                webhook->end == NULL || event_add(webhook->terminate, NULL) < 0 ||
                event_add(webhook->interrupt, NULL) < 0 ||
                event_add(webhook->renew, &certificate_interval) < 0)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the events");
        return 0;
}

static int open_listener(Webhook *webhook, unsigned short port, Error *error) {
        cleanup(tls_freep) Tls *tls = NULL;
        int fd;

        if (certificate_load(&webhook->certificate, &tls, error) < 0 ||
                open_port(port, &fd, error) < 0)
                return -1;
        return listener_new(
                webhook->loop, fd, take_ptr(tls), on_accept, webhook, &webhook->listener, error);
}

int webhook_new(const WebhookOptions *options, Webhook **ret_webhook, Error *error) {
        cleanup(webhook_freep) Webhook *webhook = calloc(1, sizeof(*webhook));

        if (webhook == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        webhook->certificate.directory = -1;
        TAILQ_INIT(&webhook->places);
        webhook->loop = event_base_new();
        if (webhook->loop == NULL)
                return error_set(error, ERROR_LIMIT, 0, "cannot make an event loop");
        if (load_settings(webhook, options->settings, error) < 0 ||
                certificate_open(options->certificates, &webhook->certificate, error) < 0 ||
                make_events(webhook, error) < 0 || open_listener(webhook, options->port, error) < 0)
                return -1;
        *ret_webhook = take_ptr(webhook);
        return 0;
}

static void events_free(Webhook *webhook) {
        struct event *events[] = { webhook->terminate, webhook->interrupt, webhook->renew,
                webhook->end };

        for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
                if (events[i] != NULL)
                        event_free(events[i]);
}

Webhook *webhook_free(Webhook *webhook) {
        if (webhook == NULL)
                return NULL;
        while (!TAILQ_EMPTY(&webhook->places))
                place_free(TAILQ_FIRST(&webhook->places));
        (void)listener_free(webhook->listener);
        events_free(webhook);
        certificate_close(&webhook->certificate);
        (void)settings_free(webhook->settings);
        if (webhook->loop != NULL)
                event_base_free(webhook->loop);
        free(webhook);
        return NULL;
}

int webhook_run(Webhook *webhook, WebhookConfine confine, Error *error) {
        const ConfineNeeds needs = { .credentials = webhook->certificate.directory };

        if (confine(&needs, error) < 0)
                return -1;
        if (event_base_dispatch(webhook->loop) < 0)
                return error_set(error, ERROR_OS, errno, "the event loop ended");
        return 0;
}
