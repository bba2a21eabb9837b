/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two questions in a row (review.h). The memory holds no token, only its digest beside the verb; it
 * has a fixed number of places, the oldest makes room.
 */
#include "sidecar/gateway/delegate.h"

#include "base/sha256.h"
#include "sidecar/gateway/ask.h"
#include "sidecar/gateway/cluster.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMORY_PLACES 64U
#define MEMORY_SECONDS 10 /* for so long a right that was taken away still opens sessions */

typedef struct Known {
        uint8_t digest[SHA256_SIZE];
        time_t until; /* CLOCK_MONOTONIC */
        char name[REVIEW_NAME_MAX];
} Known;

struct Delegate {
        struct event_base *loop;
        const Cluster *cluster;
        Asker *asker;
        Known known[MEMORY_PLACES];
        size_t next; /* place to use */
};

struct DelegateCall {
        Delegate *delegate;
        Question *question;
        struct event *event; /* calls back when there is nothing to ask */
        const char *verb;
        uint8_t digest[SHA256_SIZE];
        char name[REVIEW_NAME_MAX];
        DelegateVerdict verdict;
        DelegateDone done;
        void *owner;
};

static time_t now(void) {
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec;
}

/* --- memory --- */

static void make_digest(
        const char *token, size_t size, const char *verb, uint8_t digest[static SHA256_SIZE]) {
        Sha256 hash;

        sha256_begin(&hash);
        sha256_add(&hash, verb, strlen(verb) + 1);
        sha256_add(&hash, token, size);
        sha256_end(&hash, digest);
}

static const Known *recall(const Delegate *delegate, const uint8_t digest[static SHA256_SIZE]) {
        for (size_t i = 0; i < MEMORY_PLACES; i++)
                if (delegate->known[i].until > now() &&
                        memcmp(delegate->known[i].digest, digest, SHA256_SIZE) == 0)
                        return &delegate->known[i];
        return NULL;
}

static void remember(Delegate *delegate, const DelegateCall *call) {
        Known *place = &delegate->known[delegate->next];

        memcpy(place->digest, call->digest, sizeof(place->digest));
        memcpy(place->name, call->name, sizeof(place->name));
        place->until = now() + MEMORY_SECONDS;
        delegate->next = (delegate->next + 1) % MEMORY_PLACES;
}

/* --- deciding --- */

static void decide(DelegateCall *call, DelegateVerdict verdict) {
        DelegateDone done = call->done;
        void *owner = call->owner;
        char name[REVIEW_NAME_MAX];

        memcpy(name, call->name, sizeof(name));
        if (verdict == DELEGATE_ALLOWED)
                remember(call->delegate, call);
        (void)delegate_cancel(call);
        done(owner, verdict, name);
}

static bool was_answered(long status) {
        return status >= 200 && status <= 299;
}

static void on_access(void *owner, long status, const char *body) {
        DelegateCall *call = owner;
        Error error;
        int r;

        call->question = NULL;
        if (!was_answered(status)) {
                decide(call, DELEGATE_SILENT);
                return;
        }
        r = review_access_answer(body, &error);
        decide(call, r > 0 ? DELEGATE_ALLOWED : r == 0 ? DELEGATE_FORBIDDEN : DELEGATE_SILENT);
}

static void ask_access(DelegateCall *call, const char *token_answer) {
        const Cluster *cluster = call->delegate->cluster;
        const ReviewAccess access = { call->verb, cluster->pod_namespace, cluster->pod };
        cleanup_free char *body = review_access_question(token_answer, &access);

        if (body != NULL)
                call->question =
                        ask(call->delegate->asker, REVIEW_ACCESS_PATH, body, on_access, call);
        if (call->question == NULL)
                decide(call, DELEGATE_SILENT);
}

static void on_token(void *owner, long status, const char *body) {
        DelegateCall *call = owner;
        Error error;
        int r;

        call->question = NULL;
        if (!was_answered(status)) {
                decide(call, DELEGATE_SILENT);
                return;
        }
        r = review_token_answer(body, call->delegate->cluster->audience, call->name, &error);
        if (r > 0)
                ask_access(call, body);
        else
                decide(call, r == 0 ? DELEGATE_UNKNOWN : DELEGATE_SILENT);
}

/* From the loop, for what needs no question. */
static void on_decided(int fd, short what, void *data) {
        DelegateCall *call = data;

        decide(call, call->verdict);
}

static DelegateCall *decide_soon(DelegateCall *call, DelegateVerdict verdict) {
        call->verdict = verdict;
        call->event = event_new(call->delegate->loop, -1, 0, on_decided, call);
        if (call->event == NULL)
                return delegate_cancel(call);
        event_active(call->event, EV_TIMEOUT, 1);
        return call;
}

DelegateCall *delegate_start(Delegate *delegate, const char *token, size_t size, const char *verb,
        DelegateDone done, void *owner) {
        DelegateCall *call = calloc(1, sizeof(*call));
        char *body = NULL;
        const Known *known;

        if (call == NULL)
                return NULL;
        *call = (DelegateCall){ .delegate = delegate, .verb = verb, .done = done, .owner = owner };
        make_digest(token, size, verb, call->digest);
        known = recall(delegate, call->digest);
        if (known != NULL) {
                memcpy(call->name, known->name, sizeof(call->name));
                return decide_soon(call, DELEGATE_ALLOWED);
        }
        body = review_token_question(token, size, delegate->cluster->audience);
        if (body == NULL)
                return decide_soon(call, DELEGATE_UNKNOWN);
        call->question = ask(delegate->asker, REVIEW_TOKEN_PATH, body, on_token, call);
        explicit_bzero(body, strlen(body));
        free(body);
        return call->question != NULL ? call : decide_soon(call, DELEGATE_SILENT);
}

DelegateCall *delegate_cancel(DelegateCall *call) {
        if (call == NULL)
                return NULL;
        (void)ask_cancel(call->question);
        if (call->event != NULL)
                event_free(call->event);
        free(call);
        return NULL;
}

/* --- life --- */

int delegate_new(
        struct event_base *loop, const Cluster *cluster, Delegate **ret_delegate, Error *error) {
        cleanup(delegate_freep) Delegate *delegate = calloc(1, sizeof(*delegate));

        if (delegate == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        delegate->loop = loop;
        delegate->cluster = cluster;
        if (asker_new(loop, cluster, &delegate->asker, error) < 0)
                return -1;
        *ret_delegate = take_ptr(delegate);
        return 0;
}

Delegate *delegate_free(Delegate *delegate) {
        if (delegate == NULL)
                return NULL;
        (void)asker_free(delegate->asker);
        free(delegate);
        return NULL;
}
