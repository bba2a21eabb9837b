/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Doors: the sockets inside the sandbox's network (and the proxy's of the pod's) by which programs
 * reach egress. The launcher makes them and keeps them for life, so that while egress restarts
 * nobody can take a port, and what connects meanwhile waits. Egress serves them by duplicates and
 * says which more it needs.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sidecar/wire/network.h"

#define DOORS_PROXY_PORT 3128U
#define DOORS_NAMES_PORT 53U
#define DOORS_TRANSPARENT_MAX 4096U
#define DOORS_FIXED_MAX 7U

typedef struct FixedDoor {
        const char *name; /* under which egress gets it */
        int fd;
} FixedDoor;

typedef struct TransparentDoor {
        WireSocket where;
        int fd;      /* -1 = free */
        bool wanted; /* by the egress that runs now */
} TransparentDoor;

typedef struct Doors {
        int proc_fd, network_fd; /* borrowed */
        FixedDoor fixed[DOORS_FIXED_MAX];
        unsigned fixed_count;
        TransparentDoor transparent[DOORS_TRANSPARENT_MAX];
        uint32_t used; /* entries beyond were never used */
} Doors;

/* All that is there from the start. Needs CAP_NET_RAW (to see direct attempts) and
 * CAP_NET_BIND_SERVICE. */
int doors_open(Doors *doors, int proc_fd, int network_fd, Error *error);

/* A listener at that place: *ret_fd stays the doors'. The same again when it is there already. 0 or
 * -errno. */
int doors_listen(Doors *doors, const WireSocket *where, int *ret_fd);
void doors_close(Doors *doors, const WireSocket *where);

/* A new egress starts: what it does not ask for until doors_drop_unwanted() is closed then. */
void doors_forget_wants(Doors *doors);
void doors_drop_unwanted(Doors *doors);
