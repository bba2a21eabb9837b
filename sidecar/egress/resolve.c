/* SPDX-License-Identifier: Apache-2.0 */

/*
 * c-ares tells which of its sockets it wants to watch; each gets an event. Its own timer is asked
 * for after every call that can change it.
 *
 * A Resolution that was cancelled stays until c-ares has called back, because c-ares can cancel
 * only everything at once.
 */
#include "sidecar/egress/resolve.h"

#include "policy/pattern.h"

#include <ares.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <time.h>

#define SOCKETS_MAX 32U
#define TIMEOUT_MS 2000
#define TRIES 3

typedef struct Watch {
        Resolver *resolver;
        struct event *event; /* NULL = free */
        int fd;
} Watch;

typedef struct Kept {
        char host[HOST_SIZE]; /* "" = free */
        int64_t until;
        Address addresses[RESOLVER_ADDRESSES_MAX];
        size_t count;
} Kept;

struct Resolution {
        Resolver *resolver;
        char host[HOST_SIZE];
        ResolverDone *done; /* NULL: cancelled */
        void *context;
        bool asking;         /* inside resolver_ask(): the answer has to wait for the loop */
        struct event *later; /* delivers it then */
        Address addresses[RESOLVER_ADDRESSES_MAX];
        size_t count; /* 0: error says why */
        Error error;
        TAILQ_ENTRY(Resolution) list;
};

struct Resolver {
        struct event_base *loop; /* borrowed */
        ares_channel channel;
        bool initialised;
        struct event *timer;
        Watch watches[SOCKETS_MAX];
        TAILQ_HEAD(, Resolution) resolutions;
        Kept kept[RESOLVER_KEPT_MAX];
};

static int64_t now_seconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec;
}

/* ---- c-ares and the loop ---- */

static void set_timer(Resolver *resolver) {
        struct timeval room;
        const struct timeval *wait = ares_timeout(resolver->channel, NULL, &room);

        if (wait != NULL)
                (void)event_add(resolver->timer, wait);
        else
                (void)event_del(resolver->timer);
}

static void on_timer(evutil_socket_t fd, short what, void *context) {
        Resolver *resolver = context;

        ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        set_timer(resolver);
}

static void on_socket(evutil_socket_t fd, short what, void *context) {
        const Watch *watch = context;
        Resolver *resolver = watch->resolver;

        ares_process_fd(resolver->channel, (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
                (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
        set_timer(resolver);
}

static Watch *find_watch(Resolver *resolver, int fd) {
        Watch *unused = NULL;

        for (size_t i = 0; i < SOCKETS_MAX; i++) {
                Watch *watch = &resolver->watches[i];

                if (watch->event != NULL && watch->fd == fd)
                        return watch;
                if (watch->event == NULL)
                        unused = watch;
        }
        return unused;
}

/* A socket beyond SOCKETS_MAX is not watched: its query times out, which is what a bound is for. */
static void on_state(void *context, ares_socket_t fd, int readable, int writable) {
        Resolver *resolver = context;
        Watch *watch = find_watch(resolver, fd);
        const short what =
                (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);

        if (watch == NULL)
                return;
        if (watch->event != NULL)
                event_free(watch->event);
        watch->event = NULL;
        if (!readable && !writable)
                return;
        watch->fd = fd;
        watch->resolver = resolver;
        watch->event = event_new(resolver->loop, fd, what, on_socket, watch);
        if (watch->event != NULL)
                (void)event_add(watch->event, NULL);
}

/* ---- answers that are kept ---- */

static Kept *find_kept(Resolver *resolver, const char *host, int64_t now) {
        for (size_t i = 0; i < RESOLVER_KEPT_MAX; i++)
                if (resolver->kept[i].until > now && strcmp(resolver->kept[i].host, host) == 0)
                        return &resolver->kept[i];
        return NULL;
}

static void keep(Resolver *resolver, const char *host, const Address *addresses, size_t count,
        int lifetime) {
        const int64_t now = now_seconds();
        Kept *kept = &resolver->kept[0];

        for (size_t i = 1; i < RESOLVER_KEPT_MAX; i++)
                if (resolver->kept[i].until < kept->until)
                        kept = &resolver->kept[i];
        if (lifetime <= 0)
                return;
        memcpy(kept->host, host, sizeof(kept->host));
        memcpy(kept->addresses, addresses, count * sizeof(*addresses));
        kept->count = count;
        kept->until = now + (lifetime < RESOLVER_KEEP_SECONDS ? lifetime : RESOLVER_KEEP_SECONDS);
}

/* ---- questions ---- */

static void resolution_free(Resolution *resolution) {
        TAILQ_REMOVE(&resolution->resolver->resolutions, resolution, list);
        event_free(resolution->later);
        free(resolution);
}

static size_t copy_addresses(const struct ares_addrinfo *info,
        Address addresses[static RESOLVER_ADDRESSES_MAX], int *ret_lifetime) {
        size_t count = 0;

        for (const struct ares_addrinfo_node *node = info->nodes;
                node != NULL && count < RESOLVER_ADDRESSES_MAX; node = node->ai_next) {
                struct sockaddr_in ipv4;
                struct sockaddr_in6 ipv6;

                if (node->ai_family == AF_INET) {
                        memcpy(&ipv4, node->ai_addr, sizeof(ipv4));
                        addresses[count++] =
                                address_from_bytes(&ipv4.sin_addr, sizeof(ipv4.sin_addr));
                } else if (node->ai_family == AF_INET6) {
                        memcpy(&ipv6, node->ai_addr, sizeof(ipv6));
                        addresses[count++] =
                                address_from_bytes(&ipv6.sin6_addr, sizeof(ipv6.sin6_addr));
                } else {
                        continue;
                }
                if (count == 1 || node->ai_ttl < *ret_lifetime)
                        *ret_lifetime = node->ai_ttl;
        }
        return count;
}

static void deliver(Resolution *resolution) {
        if (resolution->done != NULL)
                resolution->done(resolution->context, resolution->addresses, resolution->count,
                        resolution->count > 0 ? NULL : &resolution->error);
        resolution_free(resolution);
}

static void on_later(evutil_socket_t fd, short what, void *context) {
        deliver(context);
}

static void on_answer(void *context, int status, int timeouts, struct ares_addrinfo *info) {
        Resolution *resolution = context;
        int lifetime = 0;

        if (status == ARES_SUCCESS)
                resolution->count = copy_addresses(info, resolution->addresses, &lifetime);
        if (info != NULL)
                ares_freeaddrinfo(info);
        if (resolution->count > 0)
                keep(resolution->resolver, resolution->host, resolution->addresses,
                        resolution->count, lifetime);
        else
                (void)error_set(&resolution->error, ERROR_PEER,
                        status == ARES_ETIMEOUT ? ETIMEDOUT : 0,
                        "the pod's name servers cannot resolve '%s' (%s)", resolution->host,
                        status == ARES_SUCCESS ? "no address" : ares_strerror(status));
        if (resolution->asking)
                event_active(resolution->later, 0, 0);
        else
                deliver(resolution);
}

static Resolution *resolution_new(
        Resolver *resolver, const char *host, ResolverDone *done, void *context) {
        Resolution *resolution = calloc(1, sizeof(*resolution));

        assert(strlen(host) < sizeof(resolution->host));
        if (resolution == NULL)
                return NULL;
        resolution->later = event_new(resolver->loop, -1, 0, on_later, resolution);
        if (resolution->later == NULL) {
                free(resolution);
                return NULL;
        }
        memcpy(resolution->host, host, strlen(host) + 1);
        resolution->resolver = resolver;
        resolution->done = done;
        resolution->context = context;
        TAILQ_INSERT_TAIL(&resolver->resolutions, resolution, list);
        return resolution;
}

int resolver_ask(Resolver *resolver, const char *host, ResolverDone *done, void *context,
        Resolution **ret_resolution, Error *error) {
        /* No sorting: the caller tries all of them, and c-ares would open a socket for each to find
         * out. */
        const struct ares_addrinfo_hints hints = {
                .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM
        };
        const Kept *kept = find_kept(resolver, host, now_seconds());
        Resolution *resolution = resolution_new(resolver, host, done, context);

        if (resolution == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot resolve '%s'", host);
        *ret_resolution = resolution;
        if (kept != NULL) {
                resolution->count = kept->count;
                memcpy(resolution->addresses, kept->addresses, sizeof(kept->addresses));
                event_active(resolution->later, 0, 0);
                return 0;
        }
        resolution->asking = true;
        ares_getaddrinfo(resolver->channel, host, NULL, &hints, on_answer, resolution);
        resolution->asking = false;
        set_timer(resolver);
        return 0;
}

void resolution_cancel(Resolution *resolution) {
        resolution->done = NULL; /* it stays until c-ares or the loop comes to it */
}

/* ---- life ---- */

int resolver_new(
        struct event_base *loop, const char *resolv_conf, Resolver **ret_resolver, Error *error) {
        cleanup(resolver_freep) Resolver *resolver = calloc(1, sizeof(*resolver));
        struct ares_options options = {
                .timeout = TIMEOUT_MS,
                .tries = TRIES,
                .sock_state_cb = on_state,
                .sock_state_cb_data = resolver,
        };
        int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
        cleanup_free char *path = resolv_conf != NULL ? strdup(resolv_conf) : NULL;
        int r;

        if (resolver == NULL || (resolv_conf != NULL && path == NULL))
                return error_set(error, ERROR_OS, ENOMEM, "cannot make a resolver");
        resolver->loop = loop;
        TAILQ_INIT(&resolver->resolutions);
        resolver->timer = event_new(loop, -1, 0, on_timer, resolver);
        if (resolver->timer == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot make a resolver");
        if (path != NULL) {
                options.resolvconf_path = path;
                mask |= ARES_OPT_RESOLVCONF;
        }
        r = ares_init_options(&resolver->channel, &options, mask);
        if (r != ARES_SUCCESS)
                return error_set(error, ERROR_OS, 0, "cannot set up c-ares: %s", ares_strerror(r));
        resolver->initialised = true;
        *ret_resolver = take_ptr(resolver);
        return 0;
}

Resolver *resolver_free(Resolver *resolver) {
        Resolution *resolution;

        if (resolver == NULL)
                return NULL;
        TAILQ_FOREACH(resolution, &resolver->resolutions, list)
        resolution->done = NULL;
        if (resolver->initialised)
                ares_destroy(resolver->channel); /* calls back for each question, which frees it */
        while ((resolution = TAILQ_FIRST(&resolver->resolutions)) != NULL)
                resolution_free(resolution);
        for (size_t i = 0; i < SOCKETS_MAX; i++)
                if (resolver->watches[i].event != NULL)
                        event_free(resolver->watches[i].event);
        if (resolver->timer != NULL)
                event_free(resolver->timer);
        free(resolver);
        return NULL;
}
