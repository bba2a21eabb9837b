/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Authorizer: who the caller is and whether it may, decided before anything else is answered.
 *
 * A decision takes its time (it may be a question to an API server), so it comes by callback, from
 * the loop, never from within authorize_start(). A caller that leaves meanwhile cancels it.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "http/head.h"
#include "http/listener.h"
#include "sidecar/gateway/route.h"

struct Delegate;
struct event_base;
typedef struct Authorizer Authorizer;
typedef struct AuthorizeCall AuthorizeCall;

#define AUTHORIZE_CALLER_MAX 256U
#define AUTHORIZE_TOKEN_MAX 4096U
#define AUTHORIZE_TOKEN_MIN 16U /* shorter is no secret */

typedef struct AuthorizeVerdict {
        unsigned code;                     /* 0: allowed; else the HTTP code: 401, 403, 503 */
        char caller[AUTHORIZE_CALLER_MAX]; /* for the audit, also of who was refused */
        const char *message;               /* of a refusal */
} AuthorizeVerdict;

typedef void (*AuthorizeDone)(void *owner, const AuthorizeVerdict *verdict);

/* token: the one static bearer token, at least AUTHORIZE_TOKEN_MIN bytes; blanks around it are not
 * part of it. size 0: there is none, and only local callers get in. */
int authorizer_new(struct event_base *loop, const char *token, size_t size,
        Authorizer **ret_authorizer, Error *error);
Authorizer *authorizer_free(Authorizer *authorizer);
DEFINE_CLEANUP(Authorizer *, authorizer_free);

/* Tokens that are not the static one are the cluster's to judge. Takes the delegate. */
void authorizer_delegate(Authorizer *authorizer, struct Delegate *delegate);

/* Begins a decision; done is called once unless it is cancelled. Borrows head and route until this
 * function returns. NULL: no memory. */
AuthorizeCall *authorize_start(Authorizer *authorizer, const ListenerPeer *peer, const Head *head,
        const Route *route, AuthorizeDone done, void *owner);
/* For a call whose done was not called yet. */
AuthorizeCall *authorize_cancel(AuthorizeCall *call);
