/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lanes: the connections of one port-forward, between portforward.c, which runs them, and its two
 * protocols. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Lane Lane;
typedef struct PortForward PortForward;
typedef struct SpdyState SpdyState;
typedef struct ChannelsState ChannelsState;
typedef struct Stream Stream;

/* What a protocol makes of a lane's events and of the client's messages. State is the protocol's
 * own. */
typedef struct PortForwardCodec {
        void *(*begin)(PortForward *forward, const char *query); /* NULL: no memory */
        void (*end)(void *state);
        int (*piece)(
                void *state, const uint8_t *data, size_t size, Error *error); /* of a message */
        void (*message_end)(void *state);
        void (*output)(
                void *state, uint32_t lane, const uint8_t *data, size_t size); /* 0: the end */
        void (*failed)(void *state, uint32_t lane, const char *why);
} PortForwardCodec;

extern const PortForwardCodec port_forward_spdy;
extern const PortForwardCodec port_forward_channels;

/* Lanes go by a number of the protocol's choice. Those that act on an unknown one do nothing. */
int lane_open(PortForward *forward, uint32_t id, uint16_t port, Error *error);
void lane_input(PortForward *forward, uint32_t id, const uint8_t *data, size_t size);
void lane_end_input(PortForward *forward, uint32_t id);
void lane_close(PortForward *forward, uint32_t id);
unsigned lane_count(const PortForward *forward);

/* Where a protocol writes to its client. */
Stream *lane_stream(PortForward *forward);
/* No lane is left that matters: say Close. */
void lane_finish(PortForward *forward);
