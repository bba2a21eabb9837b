/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connection: one client until it has a session: TLS, requests one after another, each authorised,
 * each answered.
 *
 * Owns the transport until the upgrade. Patience is bounded: 10 s from the accept to a whole first
 * request, 60 s between two.
 */
#include "sidecar/gateway/authorize.h"
#include "sidecar/gateway/portforward.h"
#include "sidecar/gateway/session.h"

struct event_base;
typedef struct Connection Connection;
typedef struct Control Control;
typedef struct Transport Transport;

#define CONNECTION_SESSIONS_MAX 256U /* running at once; the next is told to come again */

/* From the loop. With all but may_forward the connection is the owner's to free; free it last: the
 * parts of a port-forward borrow from it. */
typedef struct ConnectionEvents {
        void (*upgraded)(void *owner, Connection *connection, const SessionParts *parts);
        void (*forwarding)(void *owner, Connection *connection, const PortForwardParts *parts);
        bool (*may_forward)(void *owner); /* false: too many do */
        void (*gone)(void *owner, Connection *connection);
} ConnectionEvents;

typedef struct ConnectionParts {
        struct event_base *loop; /* borrowed */
        Control *control;        /* borrowed */
        Authorizer *authorizer;  /* borrowed */
        ListenerPeer peer;
        Transport *transport; /* taken */
} ConnectionParts;

/* NULL: no memory; the transport is freed then, too. */
Connection *connection_new(
        const ConnectionParts *parts, const ConnectionEvents *events, void *owner);
Connection *connection_free(Connection *connection);

/* What can be entered has changed: who asked whether something can is answered. */
void connection_targets_changed(Connection *connection);
