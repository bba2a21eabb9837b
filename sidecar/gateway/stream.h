/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Stream: WebSocket messages over a transport, the server's side (RFC 6455). The only place that
 * knows the WebSocket library.
 *
 * Owns the transport. What a message means is its owner's business. Nothing is collected: payload
 * is handed on in the pieces in which it comes, and data is framed straight into the transport's
 * output.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "http/transport.h"

typedef struct Stream Stream;

#define STREAM_MESSAGE_MAX                                                                         \
        (32U * 1024U * 1024U) /* of one frame we take; what Kubernetes' own servers take */
#define STREAM_READ_MAX                                                                            \
        (32U * 1024U - 256U) /* of one read into a frame: with its header and libevent's in a 32   \
                                KiB block */

typedef enum StreamCode {
        STREAM_NORMAL = 1000,
        STREAM_PROTOCOL_ERROR = 1002,
        STREAM_INTERNAL_ERROR = 1011
} StreamCode;

typedef struct StreamEvents {
        /* From within the reading of input: these may write and set flags, but neither close nor
         * free the stream. */
        void (*piece)(void *owner, const uint8_t *data,
                size_t size);     /* payload of a data message; never empty */
        void (*end)(void *owner); /* the message is whole */
        /* From the loop: these may do anything. */
        void (*read)(void *owner);   /* a round of input is done */
        void (*room)(void *owner);   /* the output takes more again */
        void (*closed)(void *owner); /* the peer sent its Close, or broke the protocol and was told:
                                        nothing more comes in */
        void (*gone)(void *owner);   /* the connection is over: free it */
} StreamEvents;

/* Takes the transport, also when it fails (NULL: no memory). The events are borrowed and outlive
 * the stream. */
Stream *stream_new(Transport *transport, const StreamEvents *events, void *owner);
Stream *stream_free(Stream *stream);

/* The stream takes no more input until resume; pings are not answered meanwhile, so say
 * stream_pong() now and then. */
void stream_pause(Stream *stream);
void stream_resume(Stream *stream);

/* True: do not send more now, wait for room(). */
bool stream_is_full(Stream *stream);

/* Binary messages of a channel byte and data: one, unless there is more data than fits. 0, or
 * -ENOMEM. */
int stream_send(Stream *stream, uint8_t channel, const void *data, size_t size);

/* One binary message of a head and data, together at most STREAM_READ_MAX. 0, or -ENOMEM. */
int stream_send_framed(
        Stream *stream, const void *head, size_t head_size, const void *data, size_t size);

/* One binary message of what read(fd) gives, at most STREAM_READ_MAX. Returns its size, 0 at the
 * end of the file, or -errno. */
ssize_t stream_send_from(Stream *stream, uint8_t channel, int fd);

void stream_pong(Stream *stream);

/* Sends Close behind all that was sent, waits until it is out, then at most 2 s for the peer's, and
 * ends the connection: gone() follows. Input is thrown away from now on. */
void stream_close(Stream *stream, StreamCode code);
