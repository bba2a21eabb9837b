/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Back-pressure is the connection's as a whole: when the client does not read, no tunnel is read;
 * when one tunnel's program does not read, the client is not. The protocols inside have no flow
 * control of their own to do better with.
 */
#include "sidecar/gateway/portforward.h"

#include "sidecar/gateway/control.h"
#include "sidecar/gateway/portforward_lanes.h"
#include "sidecar/gateway/query.h"
#include "sidecar/gateway/stream.h"
#include "sidecar/gateway/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct Lane {
        TAILQ_ENTRY(Lane) entry;
        PortForward *forward;
        uint32_t id;
        Tunnel *tunnel;
};

TAILQ_HEAD(LaneList, Lane);

struct PortForward {
        struct event_base *loop;
        Control *control;
        Stream *stream;
        const PortForwardCodec *codec;
        void *state; /* the codec's */
        struct LaneList lanes;
        unsigned count;
        bool output_stopped; /* the client does not read */
        bool finishing;
        Error broken; /* what the client did wrong, found while reading */
        char caller[256];
        const char *source;
        PortForwardGone gone;
        void *owner;
};

int port_forward_protocol(const char *name, size_t size) {
        static const struct {
                const char *name;
                PortForwardProtocol protocol;
        } protocols[] = {
                { "SPDY/3.1+portforward.k8s.io", PORT_FORWARD_SPDY },
                { "v4.channel.k8s.io", PORT_FORWARD_CHANNELS },
        };

        for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
                if (strlen(protocols[i].name) == size && memcmp(protocols[i].name, name, size) == 0)
                        return (int)protocols[i].protocol;
        return PORT_FORWARD_NONE;
}

/* --- lanes --- */

static Lane *find(PortForward *forward, uint32_t id) {
        Lane *lane;

        TAILQ_FOREACH(lane, &forward->lanes, entry)
        if (lane->id == id)
                return lane;
        return NULL;
}

/* The client is read while every tunnel takes what it sends. */
static void update_input(PortForward *forward) {
        bool full = false;
        Lane *lane;

        TAILQ_FOREACH(lane, &forward->lanes, entry)
        full = full || tunnel_is_full(lane->tunnel);
        if (full)
                stream_pause(forward->stream);
        else
                stream_resume(forward->stream);
}

static void stop_output(PortForward *forward) {
        Lane *lane;

        if (forward->output_stopped || !stream_is_full(forward->stream))
                return;
        forward->output_stopped = true;
        TAILQ_FOREACH(lane, &forward->lanes, entry)
        tunnel_pause(lane->tunnel);
}

static void on_output(void *owner, const uint8_t *data, size_t size) {
        Lane *lane = owner;
        PortForward *forward = lane->forward;

        forward->codec->output(forward->state, lane->id, data, size);
        stop_output(forward);
}

static void on_failed(void *owner, const char *why) {
        Lane *lane = owner;

        lane->forward->codec->failed(lane->forward->state, lane->id, why);
}

static void on_tunnel_room(void *owner) {
        Lane *lane = owner;

        update_input(lane->forward);
}

static const TunnelEvents tunnel_events = { on_output, on_failed, on_tunnel_room };

static void audit(PortForward *forward, uint16_t port) {
        char number[8];
        const char *const pairs[] = {
                "caller",
                forward->caller,
                "source",
                forward->source,
                "port",
                number,
                NULL,
        };

        (void)snprintf(number, sizeof(number), "%u", port);
        control_audit(forward->control, "port_forward", pairs);
}

int lane_open(PortForward *forward, uint32_t id, uint16_t port, Error *error) {
        Lane *lane;

        if (forward->count >= PORT_FORWARD_CONNECTIONS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "more than %u connections at once",
                        PORT_FORWARD_CONNECTIONS_MAX);
        lane = calloc(1, sizeof(*lane));
        if (lane == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for a connection");
        lane->forward = forward;
        lane->id = id;
        lane->tunnel = tunnel_new(forward->loop, forward->control, port, &tunnel_events, lane);
        if (lane->tunnel == NULL) {
                free(lane);
                return error_set(error, ERROR_LIMIT, 0, "no memory for a connection");
        }
        if (forward->output_stopped)
                tunnel_pause(lane->tunnel);
        TAILQ_INSERT_TAIL(&forward->lanes, lane, entry);
        forward->count++;
        audit(forward, port);
        return 0;
}

static void lane_free(Lane *lane) {
        TAILQ_REMOVE(&lane->forward->lanes, lane, entry);
        lane->forward->count--;
        (void)tunnel_free(lane->tunnel);
        free(lane);
}

void lane_input(PortForward *forward, uint32_t id, const uint8_t *data, size_t size) {
        Lane *lane = find(forward, id);

        if (lane != NULL)
                tunnel_input(lane->tunnel, data, size);
}

void lane_end_input(PortForward *forward, uint32_t id) {
        Lane *lane = find(forward, id);

        if (lane != NULL)
                tunnel_end_input(lane->tunnel);
}

void lane_close(PortForward *forward, uint32_t id) {
        Lane *lane = find(forward, id);

        if (lane != NULL)
                lane_free(lane);
}

unsigned lane_count(const PortForward *forward) {
        return forward->count;
}

Stream *lane_stream(PortForward *forward) {
        return forward->stream;
}

void lane_finish(PortForward *forward) {
        forward->finishing = true;
        stream_close(forward->stream, STREAM_NORMAL);
}

/* --- the client --- */

static void on_piece(void *owner, const uint8_t *data, size_t size) {
        PortForward *forward = owner;

        if (forward->broken.kind == 0 && !forward->finishing)
                (void)forward->codec->piece(forward->state, data, size, &forward->broken);
}

static void on_message_end(void *owner) {
        PortForward *forward = owner;

        forward->codec->message_end(forward->state);
}

static void on_read(void *owner) {
        PortForward *forward = owner;

        if (forward->broken.kind != 0)
                stream_close(forward->stream, STREAM_PROTOCOL_ERROR);
        else
                update_input(forward);
}

static void on_room(void *owner) {
        PortForward *forward = owner;
        Lane *lane;

        if (!forward->output_stopped)
                return;
        forward->output_stopped = false;
        TAILQ_FOREACH(lane, &forward->lanes, entry)
        tunnel_resume(lane->tunnel);
}

static void on_closed(void *owner) {
        PortForward *forward = owner;

        stream_close(forward->stream, STREAM_NORMAL);
}

static void on_gone(void *owner) {
        PortForward *forward = owner;

        forward->gone(forward->owner);
}

static const StreamEvents stream_events = {
        on_piece,
        on_message_end,
        on_read,
        on_room,
        on_closed,
        on_gone,
};

PortForward *port_forward_new(const PortForwardParts *parts, PortForwardGone gone, void *owner) {
        PortForward *forward = calloc(1, sizeof(*forward));
        Stream *stream = stream_new(parts->transport, &stream_events, forward);

        if (forward == NULL || stream == NULL) {
                (void)stream_free(stream);
                free(forward);
                return NULL;
        }
        *forward = (PortForward){
                .loop = parts->loop,
                .control = parts->control,
                .stream = stream,
                .codec = parts->protocol == PORT_FORWARD_SPDY ? &port_forward_spdy
                                                              : &port_forward_channels,
                .source = parts->source,
                .gone = gone,
                .owner = owner,
        };
        TAILQ_INIT(&forward->lanes);
        (void)snprintf(forward->caller, sizeof(forward->caller), "%s", parts->caller);
        forward->state = forward->codec->begin(forward, parts->query);
        return forward->state != NULL ? forward : port_forward_free(forward);
}

PortForward *port_forward_free(PortForward *forward) {
        if (forward == NULL)
                return NULL;
        while (!TAILQ_EMPTY(&forward->lanes))
                lane_free(TAILQ_FIRST(&forward->lanes));
        if (forward->state != NULL)
                forward->codec->end(forward->state);
        (void)stream_free(forward->stream);
        free(forward);
        return NULL;
}
