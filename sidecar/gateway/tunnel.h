/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tunnel: one TCP connection to a loopback port of the sandbox's network, made by the launcher, its
 * bytes carried here.
 *
 * Owns the socket. The end of either direction is told and can be said by itself, as TCP has it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
typedef struct Control Control;
typedef struct Tunnel Tunnel;

#define TUNNEL_INPUT_MAX (128U * 1024U)

/* From the loop; each may free the tunnel. */
typedef struct TunnelEvents {
        void (*output)(void *owner, const uint8_t *data, size_t size); /* size 0: the end of it */
        void (*failed)(void *owner, const char *why);                  /* it could not connect */
        void (*room)(void *owner);                                     /* input takes more again */
} TunnelEvents;

/* Borrows loop, control, events. NULL: no memory. */
Tunnel *tunnel_new(struct event_base *loop, Control *control, uint16_t port,
        const TunnelEvents *events, void *owner);
Tunnel *tunnel_free(Tunnel *tunnel);

void tunnel_input(Tunnel *tunnel, const uint8_t *data, size_t size);
void tunnel_end_input(Tunnel *tunnel);
bool tunnel_is_full(const Tunnel *tunnel);

/* No output until resume. */
void tunnel_pause(Tunnel *tunnel);
void tunnel_resume(Tunnel *tunnel);
