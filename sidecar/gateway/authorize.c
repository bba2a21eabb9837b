/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Callers by network show a token: the static one, or one that the cluster knows (delegate.h). Of
 * callers by the local socket the kernel says who they are. Reaching that socket takes a process in
 * the sidecar's container, and what it gets is less than it has there: no token is asked of it.
 */
#include "sidecar/gateway/authorize.h"

#include "sidecar/gateway/delegate.h"
#include "sidecar/gateway/handshake.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct Authorizer {
        struct event_base *loop; /* borrowed */
        Delegate *delegate;      /* NULL: there is no cluster to ask */
        size_t token_size;
        char token[AUTHORIZE_TOKEN_MAX];
};

struct AuthorizeCall {
        struct event *event; /* one of the two */
        DelegateCall *question;
        AuthorizeVerdict verdict;
        AuthorizeDone done;
        void *owner;
};

typedef struct Token {
        size_t size; /* 0: none was sent */
        char text[AUTHORIZE_TOKEN_MAX];
} Token;

int authorizer_new(struct event_base *loop, const char *token, size_t size,
        Authorizer **ret_authorizer, Error *error) {
        cleanup(authorizer_freep) Authorizer *authorizer = calloc(1, sizeof(*authorizer));

        if (authorizer == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        while (size > 0 && strchr(" \t\r\n", token[size - 1]) != NULL)
                size--;
        while (size > 0 && strchr(" \t\r\n", token[0]) != NULL) {
                token++;
                size--;
        }
        if (size > AUTHORIZE_TOKEN_MAX || (size > 0 && size < AUTHORIZE_TOKEN_MIN))
                return error_set(error, ERROR_INPUT, 0,
                        "the token has %zu bytes; it wants %u to %u of them, hard to guess", size,
                        AUTHORIZE_TOKEN_MIN, AUTHORIZE_TOKEN_MAX);
        authorizer->loop = loop;
        authorizer->token_size = size;
        memcpy(authorizer->token, token, size);
        *ret_authorizer = take_ptr(authorizer);
        return 0;
}

Authorizer *authorizer_free(Authorizer *authorizer) {
        if (authorizer == NULL)
                return NULL;
        (void)delegate_free(authorizer->delegate);
        explicit_bzero(authorizer, sizeof(*authorizer));
        free(authorizer);
        return NULL;
}

void authorizer_delegate(Authorizer *authorizer, Delegate *delegate) {
        (void)delegate_free(authorizer->delegate);
        authorizer->delegate = delegate;
}

/* Takes as long for a wrong byte at the front as at the back. How long the right token is may be
 * found out. */
static bool token_is_right(const Authorizer *authorizer, const Token *token) {
        volatile unsigned difference = 0;

        if (authorizer->token_size == 0 || token->size != authorizer->token_size)
                return false;
        for (size_t i = 0; i < token->size; i++)
                difference |= (unsigned char)token->text[i] ^ (unsigned char)authorizer->token[i];
        return difference == 0;
}

static int base64url_digit(char c) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const char *at = c != '\0' ? strchr(digits, c) : NULL;

        return at != NULL ? (int)(at - digits) : -1;
}

/* Without padding, as RFC 4648 section 5 and Kubernetes have it; a token that is none decodes to
 * nothing. */
static void decode_token(const char *text, size_t size, Token *token) {
        unsigned bits = 0;
        unsigned held = 0;
        size_t at = 0;

        for (size_t i = 0; i < size; i++) {
                int digit = base64url_digit(text[i]);

                if (digit < 0 || at == sizeof(token->text))
                        return;
                bits = bits << 6 | (unsigned)digit;
                held += 6;
                if (held >= 8) {
                        held -= 8;
                        token->text[at++] = (char)(bits >> held & 0xff);
                }
        }
        token->size = at;
}

static void find_token(const Head *head, Token *token) {
        const char *value = head_field(head, "authorization");
        size_t size = 0;

        if (value != NULL && strncasecmp(value, "Bearer ", 7) == 0) {
                value += 7 + strspn(value + 7, " ");
                size = strlen(value);
                if (size > sizeof(token->text))
                        return;
                memcpy(token->text, value, size);
                token->size = size;
                return;
        }
        value = value == NULL ? handshake_token(head, &size) : NULL;
        if (value != NULL)
                decode_token(value, size, token);
}

static void decide_local(const ListenerPeer *peer, AuthorizeVerdict *verdict) {
        if (peer->pid > 0)
                (void)snprintf(verdict->caller, sizeof(verdict->caller), "local:uid=%u,pid=%d",
                        (unsigned)peer->uid, (int)peer->pid);
        else
                (void)snprintf(verdict->caller, sizeof(verdict->caller), "local:uid=%u",
                        (unsigned)peer->uid);
}

static void decide_by_token(
        const Authorizer *authorizer, const Token *token, AuthorizeVerdict *verdict) {
        if (!token_is_right(authorizer, token)) {
                verdict->code = 401;
                verdict->message = token->size == 0 ? "Unauthorized: a bearer token is needed"
                                                    : "Unauthorized: this token is not known here";
        }
        (void)snprintf(verdict->caller, sizeof(verdict->caller), "%s",
                verdict->code == 0 ? "token" : "anonymous");
}

static void call_back(int fd, short what, void *data) {
        AuthorizeCall *call = data;
        AuthorizeVerdict verdict = call->verdict;
        AuthorizeDone done = call->done;
        void *owner = call->owner;

        (void)authorize_cancel(call); /* it is over: the owner has nothing to cancel any more */
        done(owner, &verdict);
}

/* What the cluster said. The call is over: the owner has nothing to cancel any more. */
static void on_delegated(void *data, DelegateVerdict said, const char *name) {
        static const struct {
                unsigned code;
                const char *message;
        } answers[] = {
                [DELEGATE_ALLOWED] = { 0, NULL },
                [DELEGATE_UNKNOWN] = { 401,
                        "Unauthorized: the cluster does not know this token, or it is not for this "
                        "pod: ask for one with --audience=navigator.sandbox/POD-UID" },
                [DELEGATE_FORBIDDEN] = { 403,
                        "Forbidden: may not create sessions.navigator.sandbox of this pod; bind "
                        "the ClusterRole navigator-session-user" },
                [DELEGATE_SILENT] = { 503, "Service Unavailable: the API server does not say "
                                           "whether this is allowed" },
        };
        AuthorizeCall *call = data;
        AuthorizeVerdict verdict = { .code = answers[said].code, .message = answers[said].message };
        AuthorizeDone done = call->done;
        void *owner = call->owner;

        (void)snprintf(
                verdict.caller, sizeof(verdict.caller), "%s", name[0] != '\0' ? name : "anonymous");
        free(call);
        done(owner, &verdict);
}

/* Opening something is one right, looking another. */
static const char *choose_verb(const Route *route) {
        return route->kind == ROUTE_EXEC || route->kind == ROUTE_PORT_FORWARD ? "create" : "get";
}

static AuthorizeCall *decide_by_cluster(
        AuthorizeCall *call, Delegate *delegate, const Token *token, const Route *route) {
        call->question = delegate_start(
                delegate, token->text, token->size, choose_verb(route), on_delegated, call);
        return call->question != NULL ? call : authorize_cancel(call);
}

static AuthorizeCall *decide_soon(AuthorizeCall *call, Authorizer *authorizer) {
        call->event = event_new(authorizer->loop, -1, 0, call_back, call);
        if (call->event == NULL)
                return authorize_cancel(call);
        event_active(call->event, EV_TIMEOUT, 1);
        return call;
}

AuthorizeCall *authorize_start(Authorizer *authorizer, const ListenerPeer *peer, const Head *head,
        const Route *route, AuthorizeDone done, void *owner) {
        AuthorizeCall *call = calloc(1, sizeof(*call));
        Token token = { 0 };

        if (call == NULL)
                return NULL;
        *call = (AuthorizeCall){ .done = done, .owner = owner };
        if (peer->local) {
                decide_local(peer, &call->verdict);
                return decide_soon(call, authorizer);
        }
        find_token(head, &token);
        decide_by_token(authorizer, &token, &call->verdict);
        if (call->verdict.code != 0 && token.size > 0 && authorizer->delegate != NULL)
                call = decide_by_cluster(call, authorizer->delegate, &token, route);
        else
                call = decide_soon(call, authorizer);
        explicit_bzero(&token, sizeof(token));
        return call;
}

AuthorizeCall *authorize_cancel(AuthorizeCall *call) {
        if (call == NULL)
                return NULL;
        if (call->event != NULL)
                event_free(call->event);
        (void)delegate_cancel(call->question);
        free(call);
        return NULL;
}
