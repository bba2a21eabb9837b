/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The older way, of the Python and JavaScript clients: the query names the ports, each has a
 * connection from the start; channel 2n is the data of the nth, 2n+1 its error. The first message
 * on each is the port, two bytes, the low one first. A lane's number is its data channel.
 *
 * Nothing tells the end of one direction, so the forward is over when all connections are.
 */
#include "sidecar/gateway/portforward_lanes.h"

#include "base/number.h"
#include "sidecar/gateway/portforward.h"
#include "sidecar/gateway/query.h"
#include "sidecar/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 32U /* two channels each, well below 256 */

typedef struct Channels {
        PortForward *forward; /* borrowed */
        uint16_t ports[PORTS_MAX];
        size_t count;
        size_t ended;
        bool inside; /* a message has begun and its channel is known */
        uint8_t channel;
} Channels;

/* "80", or "80,443". */
static int add_ports(Channels *channels, const char *text, Error *error) {
        while (*text != '\0') {
                size_t size = strcspn(text, ",");
                uint64_t port;

                if (!number_parse(text, size, UINT16_MAX, &port) || port == 0)
                        return error_set(
                                error, ERROR_INPUT, 0, "'ports' wants numbers from 1 to 65535");
                if (channels->count == PORTS_MAX)
                        return error_set(error, ERROR_LIMIT, 0, "more than %u ports", PORTS_MAX);
                channels->ports[channels->count++] = (uint16_t)port;
                text += size + (text[size] == ',');
        }
        return 0;
}

/* The API server's clients say "ports", those of a container runtime "port". */
static int read_ports(Channels *channels, const char *text, Error *error) {
        Query query;
        int r = query_parse(text, &query, error);

        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < query.count; i++)
                if (strcmp(query.pairs[i].key, "ports") == 0 ||
                        strcmp(query.pairs[i].key, "port") == 0)
                        r = add_ports(channels, query.pairs[i].value, error);
        query_done(&query);
        if (r == 0 && channels->count == 0)
                r = error_set(error, ERROR_INPUT, 0,
                        "'ports' is missing: which port of the sandbox is to be reached?");
        return r;
}

int port_forward_check(PortForwardProtocol protocol, const char *query, Error *error) {
        Channels channels = { 0 };

        return protocol == PORT_FORWARD_CHANNELS ? read_ports(&channels, query, error) : 0;
}

static void failed(void *state, uint32_t lane, const char *why) {
        Channels *channels = state;

        (void)stream_send(lane_stream(channels->forward), (uint8_t)(lane + 1), why, strlen(why));
        lane_close(channels->forward, lane);
        channels->ended++;
        if (channels->ended == channels->count)
                lane_finish(channels->forward);
}

static void open_port(Channels *channels, size_t number) {
        uint16_t port = channels->ports[number];
        const uint8_t bytes[] = { (uint8_t)port, (uint8_t)(port >> 8) };
        uint32_t lane = (uint32_t)(2 * number);
        Error error;

        (void)stream_send(lane_stream(channels->forward), (uint8_t)lane, bytes, sizeof(bytes));
        (void)stream_send(
                lane_stream(channels->forward), (uint8_t)(lane + 1), bytes, sizeof(bytes));
        if (lane_open(channels->forward, lane, port, &error) < 0)
                failed(channels, lane, error.text);
}

static void *begin(PortForward *forward, const char *query) {
        Channels *channels = calloc(1, sizeof(*channels));
        Error error;

        if (channels == NULL)
                return NULL;
        channels->forward = forward;
        if (read_ports(channels, query, &error) <
                0) { /* was checked before the upgrade: out of memory */
                free(channels);
                return NULL;
        }
        for (size_t i = 0; i < channels->count; i++)
                open_port(channels, i);
        return channels;
}

static void end(void *state) {
        free(state);
}

static int piece(void *state, const uint8_t *data, size_t size, Error *error) {
        Channels *channels = state;

        if (!channels->inside) {
                channels->inside = true;
                channels->channel = data[0];
                data++;
                size--;
        }
        if (size > 0)
                lane_input(channels->forward, channels->channel, data, size);
        return 0;
}

static void message_end(void *state) {
        Channels *channels = state;

        channels->inside = false;
}

static void output(void *state, uint32_t lane, const uint8_t *data, size_t size) {
        Channels *channels = state;

        if (size > 0) {
                (void)stream_send(lane_stream(channels->forward), (uint8_t)lane, data, size);
                return;
        }
        lane_close(channels->forward, lane);
        channels->ended++;
        if (channels->ended == channels->count)
                lane_finish(channels->forward);
}

const PortForwardCodec port_forward_channels = { begin, end, piece, message_end, output, failed };
