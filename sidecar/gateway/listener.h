/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Listener: a listening socket that the launcher owns and we accept from; clients come out as
 * transports. */
#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/gateway/authorize.h"
#include "sidecar/gateway/tls.h"

struct event_base;
typedef struct Listener Listener;
typedef struct Transport Transport;

typedef void (*ListenerAccept)(void *owner, Transport *transport, const AuthorizePeer *peer);

/* Takes fd. With tls (taken, too) a network listener; without, a local one whose peers are asked
 * for by SO_PEERCRED. */
int listener_new(struct event_base *loop, int fd, Tls *tls, ListenerAccept accept, void *owner,
        Listener **ret_listener, Error *error);
Listener *listener_free(Listener *listener);
