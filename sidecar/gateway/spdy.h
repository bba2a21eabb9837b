/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Spdy: as much of SPDY/3.1 as kubectl's port-forward needs, as a pure codec. Streams that the
 * client opens with three headers, data both ways with its end, pings. No flow control: the clients
 * have none either.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SPDY_FRAME_HEADER_SIZE 8U
#define SPDY_REPLY_SIZE_MAX 32U
#define SPDY_CONTROL_SIZE_MAX 4096U /* of a control frame we take; kubectl's have about 60 bytes   \
                                     */
#define SPDY_VALUE_MAX 32U          /* of a header's value, its NUL included; longer ones are cut */

typedef enum SpdyType {
        SPDY_DATA = 0,  /* a piece of a data frame */
        SPDY_OPEN = 1,  /* SYN_STREAM */
        SPDY_RESET = 3, /* RST_STREAM */
        SPDY_PING = 6,
        SPDY_OTHER, /* to be ignored */
} SpdyType;

typedef struct SpdyFrame {
        SpdyType type;
        uint32_t id; /* of the stream, or of the ping */
        bool final;  /* the client sends no more on this stream; with data: behind this piece */
        const uint8_t *data;
        size_t size;
        /* of SPDY_OPEN; "" when not sent */
        char stream_type[SPDY_VALUE_MAX], port[SPDY_VALUE_MAX], request[SPDY_VALUE_MAX];
} SpdyFrame;

typedef struct SpdyReader SpdyReader;

/* NULL: no memory. */
SpdyReader *spdy_reader_new(void);
SpdyReader *spdy_reader_free(SpdyReader *reader);
DEFINE_CLEANUP(SpdyReader *, spdy_reader_free);

/* Takes bytes from *data, *size and moves them on. 1: *ret_frame, whose data points into *data; 0:
 * all are taken; -1: ERROR_PEER, not SPDY/3 or larger than we take. */
int spdy_read(
        SpdyReader *reader, const uint8_t **data, size_t *size, SpdyFrame *ret_frame, Error *error);

/* The header of a data frame. */
void spdy_data_header(
        uint8_t header[static SPDY_FRAME_HEADER_SIZE], uint32_t stream, size_t size, bool final);

/* SYN_REPLY without headers; first: of this connection. Returns its size. */
size_t spdy_reply(uint8_t frame[static SPDY_REPLY_SIZE_MAX], uint32_t stream, bool first);

/* The answer to a ping is the ping. Returns its size. */
size_t spdy_ping(uint8_t frame[static SPDY_REPLY_SIZE_MAX], uint32_t id);
