/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Relay: moves bytes both ways between two connected sockets without copying them into this process
 * (splice).
 *
 * It has no events of its own: its owner tells it which end became readable or writable (edges, not
 * levels) and calls relay_move() until that says WAITING. A direction reads only when what it read
 * before has been written, so at most one pipe of bytes is under way in each. A half that ends is
 * shut down at the other side once its bytes are through; the other half goes on.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sidecar/egress/pipes.h"

typedef enum RelaySide { RELAY_CLIENT, RELAY_UPSTREAM, RELAY_SIDES } RelaySide;

/* Of the bytes that come from a side. */
typedef struct RelayDirection {
        Pipe pipe;
        uint64_t moved; /* bytes written at the other side */
        uint64_t limit; /* bytes that may still be read from this side; UINT64_MAX = no limit */
        bool held;      /* nothing may be read from this side yet */
        bool readable;  /* the source: as far as we know */
        bool writable;  /* the sink */
        bool ended;     /* the source has sent its end, or its limit was reached */
        bool shut;      /* and the sink was told */
} RelayDirection;

typedef struct Relay {
        int fds[RELAY_SIDES]; /* borrowed, non-blocking */
        Pipes *pipes;         /* borrowed */
        RelayDirection from[RELAY_SIDES];
} Relay;

typedef enum RelayState {
        RELAY_WAITING = 1, /* for the next edge */
        RELAY_BUSY,        /* more could be moved: call again after the others had their turn */
        RELAY_DONE,        /* both halves have ended, all bytes are through */
        RELAY_BROKEN,      /* one side was reset */
} RelayState;

void relay_init(Relay *relay, Pipes *pipes, int client_fd, int upstream_fd);
/* Gives the pipes back; the sockets stay the owner's. */
void relay_done(Relay *relay);

/* At most so many bytes are read from that side; then it counts as ended, without telling the
 * other. */
void relay_limit(Relay *relay, RelaySide side, uint64_t bytes);

/* An edge at one side. */
void relay_note(Relay *relay, RelaySide side, bool readable, bool writable);

RelayState relay_move(Relay *relay);
