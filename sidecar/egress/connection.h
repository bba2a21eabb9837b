/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connection: one connection of the sandbox, from accept to close.
 *
 * ASKING (who has it; for the proxy also: what does it want) -> DECIDING (programs are looked up)
 * -> RESOLVING -> CONNECTING -> INTRODUCING (to the network's own proxy, if there is one) ->
 * RELAYING; from any of them LINGERING, when a refusal was sent and the client should be able to
 * read it.
 *
 * Owns both sockets. What it looks at before passing it on is peeked at and stays in the kernel, so
 * a connection costs this structure and no buffer.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sidecar/egress/corporate.h"
#include "sidecar/egress/destination.h"
#include "sidecar/egress/judge.h"
#include "sidecar/egress/listeners.h"
#include "sidecar/egress/owner.h"
#include "sidecar/egress/relay.h"
#include "sidecar/egress/request.h"
#include "sidecar/egress/resolve.h"
#include "sidecar/egress/upstream.h"

struct Egress;
struct sockaddr_storage;

#define CONNECTION_ASKING_MS 15000    /* for a whole request head and the owner */
#define CONNECTION_HELLO_MS 10000     /* for a whole ClientHello after its first byte */
#define CONNECTION_PREPARING_MS 30000 /* to resolve and connect */
#define CONNECTION_LINGER_MS 2000
#define CONNECTION_IDLE_MS (60 * 60 * 1000)       /* without a byte either way */
#define CONNECTION_TOTAL_MS (24 * 60 * 60 * 1000) /* whatever happens */

typedef enum ConnectionState {
        CONNECTION_ASKING = 1,
        CONNECTION_DECIDING,
        CONNECTION_RESOLVING,
        CONNECTION_CONNECTING,
        CONNECTION_INTRODUCING,
        CONNECTION_RELAYING,
        CONNECTION_LINGERING,
} ConnectionState;

typedef struct Connection {
        struct Egress *egress; /* borrowed */
        TAILQ_ENTRY(Connection) list;
        ConnectionState state;
        ListenerKind kind;
        int client, upstream;
        struct event client_event, upstream_event;
        bool watching_client, watching_upstream;
        int64_t began, deadline; /* clock.h, milliseconds */

        uint32_t owner_question; /* 0 = none waits */
        bool owner_known;
        Owner *owner; /* NULL = gone */

        bool destination_known;
        Destination destination;
        RequestForm form;   /* of the proxies; a transparent one is a tunnel */
        char *forward_head; /* of a FORWARD, until it is sent */
        size_t forward_size;
        uint64_t body_size;

        JudgeWait wait;
        unsigned looked_up;  /* how often programs were looked up for it */
        int64_t judge_since; /* verdicts for the program's sake are not believed on older knowledge
                              */
        Resolution *resolution;
        Upstream *connecting;
        const CorporateProxy *corporate; /* NULL = direct */
        bool address_known;
        Address address; /* that is connected to */

        bool hello_wanted; /* the client's first bytes have not been looked at */
        bool hello_begun;
        Relay relay;
        uint64_t relayed;   /* bytes, when it was last looked */
        uint64_t discarded; /* while lingering */
} Connection;

/* An accepted connection; fd becomes the connection's. */
void connection_accept(
        struct Egress *egress, ListenerKind kind, int fd, const struct sockaddr_storage *peer);
/* The policy has changed: closes it when it is not allowed any more. */
void connection_rejudge(Connection *connection);
/* Closes it, or refuses it in words, when its time is over. */
void connection_check_deadline(Connection *connection, int64_t now);
/* Ends it at once. */
void connection_close(Connection *connection);
