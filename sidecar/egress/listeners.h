/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Listeners: where connections of the sandbox arrive. All are made and kept by the launcher; what
 * is here are duplicates.
 *
 * The transparent ones follow from the policy, as narrow as they can be, because a session shares
 * its loopback with us: a port that only names need which the policy writes out gets a listener on
 * each name's synthetic address, so that a session may use the same port on 127.0.0.1. A port below
 * 1024 (which a session cannot bind), or one that a wildcard or a range of addresses needs, gets a
 * listener on every address.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "sidecar/egress/control.h"
#include "sidecar/egress/pool.h"

#define LISTENERS_MAX 4096U
/* A port that more endpoints need than this gets a listener on every address too. */
#define LISTENERS_NARROW_MAX 256U

typedef enum ListenerKind {
        LISTENER_PROXY = 1,   /* explicit, of the sandbox */
        LISTENER_POD_PROXY,   /* explicit, of the pod */
        LISTENER_NAMES,       /* DNS over TCP */
        LISTENER_TRANSPARENT, /* original destination */
} ListenerKind;

struct event_base;
struct sockaddr_storage;
typedef struct Listeners Listeners;

typedef struct ListenersHandler {
        /* fd is the handler's, non-blocking */
        void (*accepted)(
                void *context, ListenerKind kind, int fd, const struct sockaddr_storage *peer);
        void (*refused)(void *context, const Address *address, uint16_t port, uint32_t code);
        void *context;
} ListenersHandler;

/* The control is borrowed. NULL without memory. */
Listeners *listeners_new(
        struct event_base *loop, Control *control, const ListenersHandler *handler);
Listeners *listeners_free(Listeners *listeners);
DEFINE_CLEANUP(Listeners *, listeners_free);

/* One that the launcher gives at the start; fd becomes the listeners'. 0, or -1 without memory. */
int listeners_add(Listeners *listeners, ListenerKind kind, int fd);

/* Pins the policy's names in the pool, asks for what it needs, lets go of the rest. */
void listeners_set_policy(Listeners *listeners, const Policy *policy, Pool *pool, int64_t now);
/* Whether a connection to there is accepted: for telling what is a direct attempt at nothing. */
bool listeners_cover(const Listeners *listeners, const Address *address, uint16_t port);
