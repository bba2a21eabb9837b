/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The static authorizer: one token for callers by network, the kernel's word for callers by the
 * local socket. Reaching that socket takes a process in the sidecar's container, and what it gets
 * is less than it has there: no token is asked of it.
 */
#include "sidecar/gateway/authorize.h"

#include "sidecar/gateway/handshake.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct Authorizer {
        struct event_base *loop; /* borrowed */
        size_t token_size;
        char token[AUTHORIZE_TOKEN_MAX];
};

struct AuthorizeCall {
        struct event *event;
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
        explicit_bzero(authorizer, sizeof(*authorizer));
        free(authorizer);
        return NULL;
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

static void decide_local(const AuthorizePeer *peer, AuthorizeVerdict *verdict) {
        if (peer->pid > 0)
                (void)snprintf(verdict->caller, sizeof(verdict->caller), "local:uid=%u,pid=%d",
                        (unsigned)peer->uid, (int)peer->pid);
        else
                (void)snprintf(verdict->caller, sizeof(verdict->caller), "local:uid=%u",
                        (unsigned)peer->uid);
}

static void decide_by_token(
        const Authorizer *authorizer, const Head *head, AuthorizeVerdict *verdict) {
        Token token = { 0 };

        find_token(head, &token);
        if (!token_is_right(authorizer, &token)) {
                verdict->code = 401;
                verdict->message = token.size == 0 ? "Unauthorized: a bearer token is needed"
                                                   : "Unauthorized: this token is not known here";
        }
        (void)snprintf(verdict->caller, sizeof(verdict->caller), "%s",
                verdict->code == 0 ? "token" : "anonymous");
        explicit_bzero(&token, sizeof(token));
}

static void call_back(int fd, short what, void *data) {
        AuthorizeCall *call = data;
        AuthorizeVerdict verdict = call->verdict;
        AuthorizeDone done = call->done;
        void *owner = call->owner;

        (void)authorize_cancel(call); /* it is over: the owner has nothing to cancel any more */
        done(owner, &verdict);
}

AuthorizeCall *authorize_start(Authorizer *authorizer, const AuthorizePeer *peer, const Head *head,
        const Route *route, AuthorizeDone done, void *owner) {
        AuthorizeCall *call = calloc(1, sizeof(*call));

        if (call == NULL)
                return NULL;
        *call = (AuthorizeCall){ .done = done, .owner = owner };
        if (peer->local)
                decide_local(peer, &call->verdict);
        else
                decide_by_token(authorizer, head, &call->verdict);
        call->event = event_new(authorizer->loop, -1, 0, call_back, call);
        if (call->event == NULL)
                return authorize_cancel(call);
        event_active(call->event, EV_TIMEOUT, 1);
        return call;
}

AuthorizeCall *authorize_cancel(AuthorizeCall *call) {
        if (call == NULL)
                return NULL;
        if (call->event != NULL)
                event_free(call->event);
        free(call);
        return NULL;
}
