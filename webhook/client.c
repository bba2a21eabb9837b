/* SPDX-License-Identifier: Apache-2.0 */

/* A request is read whole, answered, and forgotten before the next one is looked at: a review takes
 * milliseconds and asks nobody. */
#include "webhook/client.h"

#include "base/log.h"
#include "http/head.h"
#include "http/response.h"
#include "http/transport.h"
#include "webhook/review.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* From connecting, the TLS handshake included, to a whole head; from there to a whole body. */
static const struct timeval request_limit = { .tv_sec = 5 };
/* Between requests. An API server lets go after 90 s; the side that sends closes, so that no
 * request meets a connection that is just being closed. */
static const struct timeval idle_limit = { .tv_sec = 120 };

typedef enum ClientState {
        CLIENT_READING_HEAD = 1,
        CLIENT_READING_BODY,
        CLIENT_CLOSING, /* the last answer is on its way */
} ClientState;

struct Client {
        ClientState state;
        Transport *transport;
        struct event *timer;
        HeadReader *reader; /* while a request is read and answered */
        const Settings *settings;
        const ClientEvents *events;
        void *owner;
};

static const Head *head_of(const Client *client) {
        return head_reader_head(client->reader);
}

/* --- answers --- */

static void answer(Client *client, Response response, bool keep) {
        response.close = !keep;
        if (response.fields == NULL)
                response.fields = "";
        if (response_write(transport_output(client->transport), &response) < 0 || !keep ||
                transport_is_full(client->transport)) { /* who reads no answers gets no more */
                client->state = CLIENT_CLOSING;
                (void)event_del(client->timer);
                transport_finish(client->transport);
                return;
        }
        client->reader = head_reader_free(client->reader);
        client->state = CLIENT_READING_HEAD;
        (void)event_add(client->timer, &idle_limit);
}

static void answer_text(Client *client, unsigned code, const char *text) {
        answer(client, (Response){ code, "text/plain", text }, head_of(client)->keep_alive);
}

/* The connection ends with it: what follows may be the rest of what was not understood. */
static void answer_error(Client *client, unsigned code, const Error *error) {
        log_line(LOG_LEVEL_WARNING, "a request was refused: %s", error->text);
        answer(client, (Response){ code, "text/plain", error->text }, false);
}

static void answer_review(Client *client, const char *json, size_t size) {
        ReviewAnswer review = { 0 };
        Error error = { 0 };

        if (review_answer(client->settings, json, size, &review, &error) < 0) {
                answer_error(client, error.kind == ERROR_INPUT ? 400 : 413, &error);
                return;
        }
        if (review.patched)
                log_line(LOG_LEVEL_INFO, "pod %s gets a sandbox", review.subject);
        answer(client, (Response){ 200, "application/json", review.json },
                head_of(client)->keep_alive);
        free(review.json);
}

/* --- requests --- */

static bool is_at(const Head *head, const char *path) {
        size_t size = strlen(path);

        return strncmp(head->target, path, size) == 0 &&
               (head->target[size] == '\0' || head->target[size] == '?');
}

static void answer_get(Client *client) {
        const Head *head = head_of(client);

        if (is_at(head, "/livez"))
                answer_text(client, 200, "ok\n");
        else if (!is_at(head, "/readyz"))
                answer_text(client, 404, "reviews are posted to /mutate\n");
        else if (client->events->ready(client->owner))
                answer_text(client, 200, "ok\n");
        else
                answer_text(client, 503, "ending\n");
}

/* The head is whole. */
static void dispatch(Client *client) {
        const Head *head = head_of(client);

        if (head->method == HEAD_POST && is_at(head, "/mutate")) {
                client->state = CLIENT_READING_BODY;
                (void)event_add(client->timer, &request_limit);
                client->events->body(client->owner, head->body_size);
        } else if (head->method == HEAD_GET && head->body_size == 0) {
                answer_get(client);
        } else {
                answer(client, (Response){ 404, "text/plain", "reviews are posted to /mutate\n" },
                        false);
        }
}

/* True when there is more to do with what has come. */
static bool read_head(Client *client) {
        struct evbuffer *input = transport_input(client->transport);
        struct evbuffer_iovec piece;
        size_t used = 0;
        Error error = { 0 };
        int whole;

        if (evbuffer_peek(input, -1, NULL, &piece, 1) < 1)
                return false;
        if (client->reader == NULL) {
                client->reader = head_reader_new(REVIEW_SIZE_MAX);
                if (client->reader == NULL) {
                        client->events->gone(client->owner);
                        return false;
                }
                (void)event_add(client->timer, &request_limit);
        }
        whole = head_reader_feed(client->reader, piece.iov_base, piece.iov_len, &used, &error);
        if (whole < 0) {
                answer_error(client, error.kind == ERROR_LIMIT ? 413 : 400, &error);
                return false;
        }
        (void)evbuffer_drain(input, used);
        if (whole > 0)
                dispatch(client);
        return client->state != CLIENT_CLOSING;
}

static bool read_body(Client *client) {
        struct evbuffer *input = transport_input(client->transport);
        size_t size = head_of(client)->body_size;
        const unsigned char *body;

        if (evbuffer_get_length(input) < size)
                return false;
        body = size > 0 ? evbuffer_pullup(input, (ev_ssize_t)size) : (const unsigned char *)"";
        if (body == NULL) {
                client->events->gone(client->owner);
                return false;
        }
        answer_review(client, (const char *)body, size);
        (void)evbuffer_drain(input, size);
        return client->state != CLIENT_CLOSING;
}

/* --- the connection --- */

static void on_readable(void *owner) {
        Client *client = owner;
        bool more = client->state != CLIENT_CLOSING;

        while (more)
                more = client->state == CLIENT_READING_HEAD ? read_head(client) : read_body(client);
}

static void on_room(void *owner) {
}

static void on_gone(void *owner) {
        Client *client = owner;

        client->events->gone(client->owner);
}

static void on_timer(int fd, short what, void *owner) {
        on_gone(owner);
}

static const TransportEvents transport_events = { on_readable, on_room, on_gone };

Client *client_new(struct event_base *loop, Transport *transport, const Settings *settings,
        const ClientEvents *events, void *owner) {
        Client *client = calloc(1, sizeof(*client));

        if (client == NULL) {
                (void)transport_free(transport);
                return NULL;
        }
        *client = (Client){
                .state = CLIENT_READING_HEAD,
                .transport = transport,
                .settings = settings,
                .events = events,
                .owner = owner,
                .timer = evtimer_new(loop, on_timer, client),
        };
        if (client->timer == NULL || event_add(client->timer, &request_limit) < 0)
                return client_free(client);
        transport_set_owner(transport, &transport_events, client);
        return client;
}

Client *client_free(Client *client) {
        if (client == NULL)
                return NULL;
        (void)transport_free(client->transport);
        if (client->timer != NULL)
                event_free(client->timer);
        (void)head_reader_free(client->reader);
        free(client);
        return NULL;
}

size_t client_awaits(const Client *client) {
        return client->state == CLIENT_READING_BODY ? head_of(client)->body_size : 0;
}
