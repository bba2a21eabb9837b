/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Nameserver: the sockets of names.h. UDP and TCP port 53 at every address of the sandbox's
 * network, so that whatever server a resolv.conf or a program names, it is us who answers.
 */
#include "base/cleanup.h"
#include "sidecar/egress/names.h"

#define NAMESERVER_CLIENTS_MAX 64U /* over TCP, at once; more are closed */

struct event_base;
typedef struct Nameserver Nameserver;

typedef struct NameserverHandler {
        /* Answers one query, as names_answer() does. */
        size_t (*answer)(void *context, const uint8_t *query, size_t size,
                uint8_t ret_answer[static NAMES_ANSWER_MAX]);
        void *context;
} NameserverHandler;

/* NULL without memory. */
Nameserver *nameserver_new(struct event_base *loop, const NameserverHandler *handler);
Nameserver *nameserver_free(Nameserver *nameserver);
DEFINE_CLEANUP(Nameserver *, nameserver_free);

/* A bound UDP socket; it becomes the nameserver's. 0, or -1. */
int nameserver_add_udp(Nameserver *nameserver, int fd);
/* An accepted TCP connection; likewise. */
void nameserver_accept(Nameserver *nameserver, int fd);
