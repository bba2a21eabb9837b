/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * PortForward: one WebSocket client and any number of TCP connections to loopback ports of the
 * sandbox's network.
 *
 * Owns the stream and the tunnels. Two protocols carry the connections: kubectl's, SPDY/3.1 inside
 * the WebSocket, which opens one for each of its own clients; and channels (v4.channel.k8s.io,
 * `ports=` in the query), one for each port at once.
 */
#include <stddef.h>

#include "base/error.h"

struct event_base;
typedef struct Control Control;
typedef struct PortForward PortForward;
typedef struct Transport Transport;

#define PORT_FORWARD_CONNECTIONS_MAX 64U /* of one client at once */

typedef enum PortForwardProtocol {
        PORT_FORWARD_NONE = 0,
        PORT_FORWARD_SPDY,
        PORT_FORWARD_CHANNELS,
} PortForwardProtocol;

/* The protocol of this WebSocket subprotocol's name. */
int port_forward_protocol(const char *name, size_t size);

typedef void (*PortForwardGone)(void *owner);

typedef struct PortForwardParts {
        struct event_base *loop;     /* borrowed */
        Control *control;            /* borrowed */
        Transport *transport;        /* taken; its upgrade is answered */
        const char *query;           /* borrowed until new returns */
        const char *caller, *source; /* borrowed until new returns: for the audit */
        PortForwardProtocol protocol;
} PortForwardParts;

/* Whether the query fits the protocol: channels want ports. ERROR_INPUT. */
int port_forward_check(PortForwardProtocol protocol, const char *query, Error *error);

/* gone is called once, from the loop: free it then. NULL: no memory; the transport is freed then,
 * too. */
PortForward *port_forward_new(const PortForwardParts *parts, PortForwardGone gone, void *owner);
PortForward *port_forward_free(PortForward *forward);
