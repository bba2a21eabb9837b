/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubectl's way: for each of its clients an error stream and a data stream, told apart by
 * "streamtype" and joined by "requestid". A lane is a data stream. When its output ends both are
 * ended; what went wrong is text on the error stream, and kubectl gives up the whole forward then.
 */
#include "sidecar/gateway/portforward_lanes.h"

#include "base/number.h"
#include "sidecar/gateway/portforward.h"
#include "sidecar/gateway/spdy.h"
#include "sidecar/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

typedef struct Pair {
        uint32_t error_stream; /* 0: a free place */
        uint32_t data_stream;  /* 0: not opened yet */
        char request[SPDY_VALUE_MAX];
} Pair;

typedef struct Spdy {
        PortForward *forward; /* borrowed */
        SpdyReader *reader;
        bool replied;
        Pair pairs[PORT_FORWARD_CONNECTIONS_MAX];
} Spdy;

static void *begin(PortForward *forward, const char *query) {
        Spdy *spdy = calloc(1, sizeof(*spdy));

        if (spdy == NULL)
                return NULL;
        spdy->forward = forward;
        spdy->reader = spdy_reader_new();
        if (spdy->reader != NULL)
                return spdy;
        free(spdy);
        return NULL;
}

static void end(void *state) {
        Spdy *spdy = state;

        (void)spdy_reader_free(spdy->reader);
        free(spdy);
}

static Pair *find_request(Spdy *spdy, const char *request) {
        for (size_t i = 0; i < PORT_FORWARD_CONNECTIONS_MAX; i++)
                if (spdy->pairs[i].error_stream != 0 &&
                        strcmp(spdy->pairs[i].request, request) == 0)
                        return &spdy->pairs[i];
        return NULL;
}

static Pair *find_stream(Spdy *spdy, uint32_t stream) {
        for (size_t i = 0; i < PORT_FORWARD_CONNECTIONS_MAX; i++)
                if (spdy->pairs[i].error_stream != 0 &&
                        (spdy->pairs[i].data_stream == stream ||
                                spdy->pairs[i].error_stream == stream))
                        return &spdy->pairs[i];
        return NULL;
}

static Pair *free_place(Spdy *spdy) {
        for (size_t i = 0; i < PORT_FORWARD_CONNECTIONS_MAX; i++)
                if (spdy->pairs[i].error_stream == 0)
                        return &spdy->pairs[i];
        return NULL;
}

static void send_data(Spdy *spdy, uint32_t stream, const void *data, size_t size, bool final) {
        uint8_t header[SPDY_FRAME_HEADER_SIZE];

        spdy_data_header(header, stream, size, final);
        (void)stream_send_framed(lane_stream(spdy->forward), header, sizeof(header), data, size);
}

static void send_reply(Spdy *spdy, uint32_t stream) {
        uint8_t frame[SPDY_REPLY_SIZE_MAX];
        size_t size = spdy_reply(frame, stream, !spdy->replied);

        spdy->replied = true;
        (void)stream_send_framed(lane_stream(spdy->forward), frame, size, NULL, 0);
}

/* Why, then the end of both. The pair is over. */
static void fail(Spdy *spdy, Pair *pair, const char *why) {
        send_data(spdy, pair->error_stream, why, strlen(why), true);
        if (pair->data_stream != 0)
                send_data(spdy, pair->data_stream, NULL, 0, true);
        lane_close(spdy->forward, pair->data_stream);
        *pair = (Pair){ 0 };
}

static int open_error_stream(Spdy *spdy, const SpdyFrame *frame, Error *error) {
        Pair *pair = free_place(spdy);

        if (pair == NULL || find_request(spdy, frame->request) != NULL)
                return error_set(error, ERROR_PEER, 0, "too many connections, or a request twice");
        pair->error_stream = frame->id;
        memcpy(pair->request, frame->request, sizeof(pair->request));
        send_reply(spdy, frame->id);
        return 0;
}

static int open_data_stream(Spdy *spdy, const SpdyFrame *frame, Error *error) {
        Pair *pair = find_request(spdy, frame->request);
        uint64_t port;
        Error why;

        if (pair == NULL || pair->data_stream != 0)
                return error_set(error, ERROR_PEER, 0, "a data stream without an error stream");
        pair->data_stream = frame->id;
        send_reply(spdy, frame->id);
        if (!number_parse(frame->port, strlen(frame->port), UINT16_MAX, &port) || port == 0)
                fail(spdy, pair, "the port is not a number from 1 to 65535");
        else if (lane_open(spdy->forward, frame->id, (uint16_t)port, &why) < 0)
                fail(spdy, pair, why.text);
        return 0;
}

static int open_stream(Spdy *spdy, const SpdyFrame *frame, Error *error) {
        if (frame->id == 0 || find_stream(spdy, frame->id) != NULL)
                return error_set(error, ERROR_PEER, 0, "a SPDY stream is opened twice");
        if (strcmp(frame->stream_type, "error") == 0)
                return open_error_stream(spdy, frame, error);
        if (strcmp(frame->stream_type, "data") == 0)
                return open_data_stream(spdy, frame, error);
        return error_set(error, ERROR_PEER, 0, "a stream of an unknown type");
}

static void take_data(Spdy *spdy, const SpdyFrame *frame) {
        const Pair *pair = find_stream(spdy, frame->id);

        if (pair == NULL || pair->data_stream != frame->id)
                return; /* nothing comes on the error stream but its end */
        if (frame->size > 0)
                lane_input(spdy->forward, frame->id, frame->data, frame->size);
        if (frame->final)
                lane_end_input(spdy->forward, frame->id);
}

static void take_reset(Spdy *spdy, const SpdyFrame *frame) {
        Pair *pair = find_stream(spdy, frame->id);

        if (pair == NULL)
                return;
        lane_close(spdy->forward, pair->data_stream);
        *pair = (Pair){ 0 };
}

static void take_ping(Spdy *spdy, const SpdyFrame *frame) {
        uint8_t answer[SPDY_REPLY_SIZE_MAX];
        size_t size = spdy_ping(answer, frame->id);

        (void)stream_send_framed(lane_stream(spdy->forward), answer, size, NULL, 0);
}

static int piece(void *state, const uint8_t *data, size_t size, Error *error) {
        Spdy *spdy = state;
        SpdyFrame frame;
        int r;

        while ((r = spdy_read(spdy->reader, &data, &size, &frame, error)) > 0) {
                if (frame.type == SPDY_OPEN && open_stream(spdy, &frame, error) < 0)
                        return -1;
                if (frame.type == SPDY_DATA)
                        take_data(spdy, &frame);
                if (frame.type == SPDY_RESET)
                        take_reset(spdy, &frame);
                if (frame.type == SPDY_PING)
                        take_ping(spdy, &frame);
        }
        return r;
}

/* Messages have no meaning here: the WebSocket carries a stream of bytes. */
static void message_end(void *state) {
}

static void output(void *state, uint32_t lane, const uint8_t *data, size_t size) {
        Spdy *spdy = state;
        Pair *pair = find_stream(spdy, lane);

        send_data(spdy, lane, data, size, size == 0);
        if (size > 0 || pair == NULL)
                return;
        send_data(spdy, pair->error_stream, NULL, 0, true);
        lane_close(spdy->forward, lane);
        *pair = (Pair){ 0 };
}

static void failed(void *state, uint32_t lane, const char *why) {
        Spdy *spdy = state;
        Pair *pair = find_stream(spdy, lane);

        if (pair != NULL)
                fail(spdy, pair, why);
}

const PortForwardCodec port_forward_spdy = { begin, end, piece, message_end, output, failed };
