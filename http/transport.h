/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Transport: the bytes of one client, by TLS or a local socket, with brakes both ways, and an end
 * that loses nothing.
 *
 * Owns the connection. Its memory is bounded by its user: who writes asks transport_is_full()
 * before reading more from the source; who cannot take more pauses reading. Callbacks come from the
 * loop, never from within a call; each may free the transport.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "http/tls.h"

struct evbuffer;
struct event_base;
typedef struct Transport Transport;

#define TRANSPORT_OUTPUT_HIGH (256U * 1024U) /* stop reading sources at this much unsent output */
#define TRANSPORT_OUTPUT_LOW (64U * 1024U)   /* go on at this much */

typedef struct TransportEvents {
        void (*readable)(void *owner); /* there is input, or reading goes on after a pause */
        void (*room)(void *owner);     /* output has fallen to the low mark, or to nothing after
                                          transport_finish() */
        void (*gone)(
                void *owner); /* the peer has left, or all is sent and the end was said: free it */
} TransportEvents;

/* Takes fd, non-blocking. tls is borrowed, NULL for plain bytes. NULL: no memory; fd is closed
 * then, too. */
Transport *transport_new(struct event_base *loop, int fd, Tls *tls);
Transport *transport_free(Transport *transport);

/* Who is told. The events are borrowed and outlive the transport. Input that is there already is
 * told about. */
void transport_set_owner(Transport *transport, const TransportEvents *events, void *owner);

struct evbuffer *transport_input(Transport *transport);
struct evbuffer *transport_output(Transport *transport);
bool transport_is_full(Transport *transport);

/* While paused only the peer's end is noticed. */
void transport_pause(Transport *transport);
void transport_resume(Transport *transport);

/* Sends what is in the output (10 minutes at most), says the end (TLS close_notify, shutdown), and
 * tells gone() when the peer has closed, after 2 s at the latest. What still comes in is read and
 * thrown away: closing on it would reset the connection and take the last bytes along. */
void transport_finish(Transport *transport);
