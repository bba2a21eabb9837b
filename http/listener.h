/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Listener: a listening socket that we accept from; clients come out as transports. */
#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "http/tls.h"

struct event_base;
typedef struct Listener Listener;
typedef struct Transport Transport;

/* Where a connection comes from: a local socket tells whose it is. */
typedef struct ListenerPeer {
        bool local;
        uid_t uid;
        pid_t pid; /* 0 when it is in another pid namespace */
} ListenerPeer;

typedef void (*ListenerAccept)(void *owner, Transport *transport, const ListenerPeer *peer);

/* Takes fd. With tls (taken, too) a network listener; without, a local one whose peers are asked
 * for by SO_PEERCRED. */
int listener_new(struct event_base *loop, int fd, Tls *tls, ListenerAccept accept, void *owner,
        Listener **ret_listener, Error *error);
Listener *listener_free(Listener *listener);

/* Clients from now on get this one (taken); those that are there keep what they have. For a network
 * listener. */
void listener_set_tls(Listener *listener, Tls *tls);
