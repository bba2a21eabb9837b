/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * remotecommand: Kubernetes' channels inside WebSocket messages, as a pure codec. One message is
 * one byte of channel and its payload; docs/formats/exec.md has the protocol,
 * sidecar/gateway/stream carries the messages.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum RemoteChannel {
        REMOTE_STDIN = 0,
        REMOTE_STDOUT = 1,
        REMOTE_STDERR = 2,
        REMOTE_STATUS = 3,
        REMOTE_RESIZE = 4,
        REMOTE_CLOSE = 255,
} RemoteChannel;

typedef enum RemoteProtocol {
        REMOTE_PROTOCOL_NONE = 0,
        REMOTE_PROTOCOL_CHANNEL, /* channel.k8s.io, or no name: an error is plain text on the status
                                    channel, success is nothing */
        REMOTE_PROTOCOL_V4,      /* the status channel carries a Status document */
        REMOTE_PROTOCOL_V5,      /* and 255, N closes channel N */
} RemoteProtocol;

/* The RemoteProtocol of this name; REMOTE_PROTOCOL_NONE for one we do not speak. */
int remote_protocol(const char *name, size_t size);

/* A resize is about 30 bytes, and several may lie in one message. */
#define REMOTE_RESIZE_SIZE_MAX 1024U

/* Reads the client's messages as they come in pieces. Zeroed with a protocol is a fresh one. */
typedef struct RemoteReader {
        RemoteProtocol protocol;
        bool inside; /* a message has begun and its channel is known */
        uint8_t channel;
        size_t size; /* of kept */
        char kept[REMOTE_RESIZE_SIZE_MAX];
} RemoteReader;

typedef enum RemoteEvent {
        REMOTE_EVENT_NONE = 0,
        REMOTE_EVENT_INPUT,     /* bytes for the program: data and size of the piece, without the
                                   channel */
        REMOTE_EVENT_INPUT_END, /* the client will send no more of them */
        REMOTE_EVENT_RESIZE,    /* JSON text in reader->kept, reader->size bytes */
} RemoteEvent;

/* The next piece of a message, never empty. On REMOTE_EVENT_INPUT *data and *size are moved behind
 * the channel byte. */
RemoteEvent remote_piece(RemoteReader *reader, const uint8_t **data, size_t *size);
/* The message is whole. ERROR_PEER: a close message that is none, or a resize that is too long. */
int remote_end(RemoteReader *reader, RemoteEvent *ret_event, Error *error);
