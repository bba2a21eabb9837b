/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Client: one connection, its requests one after the other. Nobody says who it is: what is answered
 * is no secret (it follows from the pod that was sent), and every step has its deadline and its
 * bound.
 *
 *   POST /mutate          an AdmissionReview, answered by one
 *   GET  /livez, /readyz  for the kubelet
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct event_base;
typedef struct Client Client;
typedef struct Settings Settings;
typedef struct Transport Transport;

typedef struct ClientEvents {
        void (*body)(void *owner, size_t size); /* a request's body of this size is awaited */
        bool (*ready)(void *owner);             /* what /readyz says */
        void (*gone)(void *owner);              /* free it */
} ClientEvents;

/* Takes the transport, also when it fails; borrows settings and events. NULL: no memory. */
Client *client_new(struct event_base *loop, Transport *transport, const Settings *settings,
        const ClientEvents *events, void *owner);
Client *client_free(Client *client);
DEFINE_CLEANUP(Client *, client_free);

/* Bytes of a body that is not whole yet; 0 when none is awaited. */
size_t client_awaits(const Client *client);
