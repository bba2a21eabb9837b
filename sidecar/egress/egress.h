/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Egress: all that the process holds. main.c makes one; the parts borrow from it.
 *
 * One thread, one libevent loop. No part waits for anything; every connection passes the states of
 * connection.h.
 */
#include <stdint.h>
#include <sys/queue.h>

#include "base/error.h"
#include "sidecar/egress/control.h"
#include "sidecar/egress/corporate.h"
#include "sidecar/egress/hello.h"
#include "sidecar/egress/judge.h"
#include "sidecar/egress/listeners.h"
#include "sidecar/egress/nameserver.h"
#include "sidecar/egress/packets.h"
#include "sidecar/egress/pipes.h"
#include "sidecar/egress/pool.h"
#include "sidecar/egress/report.h"
#include "sidecar/egress/resolve.h"

struct Connection;

#define EGRESS_CONNECTIONS_MAX 8192U /* at once; fewer when there are fewer descriptors */
#define EGRESS_OWN_PORTS_MAX 16U

typedef struct EgressOptions {
        uint16_t own_ports[EGRESS_OWN_PORTS_MAX]; /* of the pod, that "localhost" in a policy never
                                                     means */
        unsigned own_port_count;
        const char *resolv_conf; /* NULL = /etc/resolv.conf */
} EgressOptions;

typedef struct Egress {
        EgressOptions options;
        struct event_base *loop;
        Control *control;
        Report *report;
        Judge *judge;
        Pool *pool;
        Resolver *resolver;
        Pipes *pipes;
        Listeners *listeners;
        Nameserver *nameserver;
        Packets *packets; /* NULL until it is given */
        Corporate corporate;
        struct event *sweep; /* once a second: deadlines */
        TAILQ_HEAD(, Connection) connections;
        unsigned connection_count, connection_limit;
        bool started;                    /* READY was said */
        uint8_t scratch[HELLO_SIZE_MAX]; /* what is looked at before it is passed on; used within
                                            one callback */
} Egress;

/* control_fd becomes the egress's. */
int egress_new(int control_fd, const EgressOptions *options, Egress **ret_egress, Error *error);
Egress *egress_free(Egress *egress);
DEFINE_CLEANUP(Egress *, egress_free);

/* Serves until the launcher goes. */
int egress_run(Egress *egress, Error *error);
