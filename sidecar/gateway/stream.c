/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Input goes through wslay in its unbuffered mode: it checks frames, unmasks them, answers pings
 * and hands on payload as it comes. Output is framed here: wslay would copy it, and a Close queued
 * in wslay overtakes data that waits there.
 *
 * Two brakes on reading: the owner's pause, and a full output, because a flood of pings is a flood
 * of pongs.
 */
#include "sidecar/gateway/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define FRAME_HEADER_MAX 4U /* first byte, length, 16 bits of length */
#define FRAME_SMALL_MAX 125U
#define FRAME_FINAL_BINARY 0x82
#define READ_MIN 512U

struct Stream {
        Transport *transport;
        wslay_event_context_ptr frames;
        const StreamEvents *events;
        void *owner;
        uint8_t opcode; /* of the frame that is coming in */
        bool paused;    /* by the owner */
        bool braked;    /* the transport's reading is off */
        bool closing;   /* our Close is sent */
        bool told_closed;
};

static ssize_t receive(
        wslay_event_context_ptr frames, uint8_t *data, size_t size, int flags, void *owner) {
        Stream *stream = owner;
        int n = -1;

        if (!stream->paused && !stream_is_full(stream))
                n = evbuffer_remove(transport_input(stream->transport), data, size);
        if (n > 0)
                return n;
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
}

static ssize_t transmit(
        wslay_event_context_ptr frames, const uint8_t *data, size_t size, int flags, void *owner) {
        Stream *stream = owner;

        if (evbuffer_add(transport_output(stream->transport), data, size) == 0)
                return (ssize_t)size;
        wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

static void frame_start(wslay_event_context_ptr frames,
        const struct wslay_event_on_frame_recv_start_arg *frame, void *owner) {
        Stream *stream = owner;

        stream->opcode = frame->opcode;
}

static void frame_piece(wslay_event_context_ptr frames,
        const struct wslay_event_on_frame_recv_chunk_arg *piece, void *owner) {
        Stream *stream = owner;

        /* Control frames come by here, too. */
        if (!wslay_is_ctrl_frame(stream->opcode) && piece->data_length > 0)
                stream->events->piece(stream->owner, piece->data, piece->data_length);
}

static void message_end(wslay_event_context_ptr frames,
        const struct wslay_event_on_msg_recv_arg *message, void *owner) {
        Stream *stream = owner;

        if (!wslay_is_ctrl_frame(message->opcode))
                stream->events->end(stream->owner);
}

/* Reading is off while the owner or a full output says so. */
static void brake(Stream *stream) {
        bool wanted = stream->paused || stream_is_full(stream);

        if (wanted == stream->braked)
                return;
        stream->braked = wanted;
        if (wanted)
                transport_pause(stream->transport);
        else
                transport_resume(stream->transport);
}

static void on_readable(void *owner) {
        Stream *stream = owner;
        bool ended;

        ended = wslay_event_recv(stream->frames) != 0 || wslay_event_send(stream->frames) != 0;
        ended = ended || wslay_event_get_close_received(stream->frames) ||
                wslay_event_get_read_enabled(stream->frames) == 0;
        brake(stream);
        if (!ended) {
                stream->events->read(stream->owner);
        } else if (!stream->told_closed) {
                stream->told_closed = true;
                stream->events->closed(stream->owner);
        }
}

static void on_room(void *owner) {
        Stream *stream = owner;

        brake(stream);
        stream->events->room(stream->owner);
}

static void on_gone(void *owner) {
        Stream *stream = owner;

        stream->events->gone(stream->owner);
}

static const TransportEvents transport_events = { on_readable, on_room, on_gone };

Stream *stream_new(Transport *transport, const StreamEvents *events, void *owner) {
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = receive,
                .send_callback = transmit,
                .on_frame_recv_start_callback = frame_start,
                .on_frame_recv_chunk_callback = frame_piece,
                .on_msg_recv_callback = message_end,
        };
        Stream *stream = calloc(1, sizeof(*stream));

        if (stream == NULL ||
                wslay_event_context_server_init(&stream->frames, &callbacks, stream) != 0) {
                (void)transport_free(transport);
                free(stream);
                return NULL;
        }
        wslay_event_config_set_no_buffering(stream->frames, 1);
        wslay_event_config_set_max_recv_msg_length(stream->frames, STREAM_MESSAGE_MAX);
        stream->transport = transport;
        stream->events = events;
        stream->owner = owner;
        transport_set_owner(transport, &transport_events, stream);
        return stream;
}

Stream *stream_free(Stream *stream) {
        if (stream == NULL)
                return NULL;
        wslay_event_context_free(stream->frames);
        (void)transport_free(stream->transport);
        free(stream);
        return NULL;
}

void stream_pause(Stream *stream) {
        stream->paused = true;
        brake(stream);
}

void stream_resume(Stream *stream) {
        stream->paused = false;
        brake(stream);
}

bool stream_is_full(Stream *stream) {
        return transport_is_full(stream->transport);
}

/* The shortest form of the length is the only one a peer has to take. */
static size_t frame_header(uint8_t header[static FRAME_HEADER_MAX], size_t size) {
        header[0] = FRAME_FINAL_BINARY;
        if (size <= FRAME_SMALL_MAX) {
                header[1] = (uint8_t)size;
                return 2;
        }
        header[1] = 126;
        header[2] = (uint8_t)(size >> 8);
        header[3] = (uint8_t)size;
        return 4;
}

int stream_send_framed(
        Stream *stream, const void *head, size_t head_size, const void *data, size_t size) {
        struct evbuffer *output = transport_output(stream->transport);
        uint8_t header[FRAME_HEADER_MAX];
        size_t header_size = frame_header(header, head_size + size);

        if (stream->closing)
                return 0;
        if (evbuffer_expand(output, header_size + head_size + size) != 0)
                return -ENOMEM;
        (void)evbuffer_add(output, header, header_size);
        (void)evbuffer_add(output, head, head_size);
        if (size > 0)
                (void)evbuffer_add(output, data, size);
        brake(stream);
        return 0;
}

int stream_send(Stream *stream, uint8_t channel, const void *data, size_t size) {
        const uint8_t *bytes = data;
        int r;

        do {
                size_t part = size < STREAM_READ_MAX ? size : STREAM_READ_MAX;

                r = stream_send_framed(stream, &channel, 1, bytes, part);
                bytes += part;
                size -= part;
        } while (r == 0 && size > 0);
        return r;
}

/* As much room as there is to read: a reserve of the most for a few bytes would make many small
 * messages take far more memory than their length, which is what the brakes count. */
static size_t readable_size(int fd) {
        int size = 0;

        if (ioctl(fd, FIONREAD, &size) < 0 || size < (int)READ_MIN)
                return READ_MIN;
        return (size_t)size < STREAM_READ_MAX ? (size_t)size : STREAM_READ_MAX;
}

ssize_t stream_send_from(Stream *stream, uint8_t channel, int fd) {
        struct evbuffer *output = transport_output(stream->transport);
        size_t most = readable_size(fd);
        struct evbuffer_iovec space;
        uint8_t *frame;
        size_t header_size;
        ssize_t n;

        if (evbuffer_reserve_space(output, (ssize_t)(FRAME_HEADER_MAX + 1 + most), &space, 1) != 1)
                return -ENOMEM;
        frame = space.iov_base;
        n = read(fd, frame + FRAME_HEADER_MAX + 1, most);
        if (n <= 0)
                return n < 0 ? -errno : 0;

        header_size = frame_header(frame, (size_t)n + 1);
        frame[header_size] = channel;
        if (header_size < FRAME_HEADER_MAX)
                memmove(frame + header_size + 1, frame + FRAME_HEADER_MAX + 1, (size_t)n);
        space.iov_len = header_size + 1 + (size_t)n;
        if (evbuffer_commit_space(output, &space, 1) != 0)
                return -ENOMEM;
        brake(stream);
        return n;
}

void stream_pong(Stream *stream) {
        const struct wslay_event_msg pong = { .opcode = WSLAY_PONG };

        if (!stream->closing && wslay_event_queue_msg(stream->frames, &pong) == 0)
                (void)wslay_event_send(stream->frames);
}

void stream_close(Stream *stream, StreamCode code) {
        if (stream->closing)
                return;
        /* All data is in the output already, so wslay's Close comes behind it. After the peer's
         * Close this sends nothing: the answer is out. */
        (void)wslay_event_queue_close(stream->frames, (uint16_t)code, NULL, 0);
        (void)wslay_event_send(stream->frames);
        stream->closing = true;
        stream->paused = false;
        transport_finish(stream->transport);
}
