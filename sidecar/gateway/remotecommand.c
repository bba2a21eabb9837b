/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/remotecommand.h"

#include <string.h>

static const struct {
        const char *name;
        RemoteProtocol protocol;
} protocols[] = {
        { "v5.channel.k8s.io", REMOTE_PROTOCOL_V5 },
        { "v4.channel.k8s.io", REMOTE_PROTOCOL_V4 },
        { "channel.k8s.io", REMOTE_PROTOCOL_CHANNEL },
};

int remote_protocol(const char *name, size_t size) {
        for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
                if (strlen(protocols[i].name) == size && memcmp(protocols[i].name, name, size) == 0)
                        return (int)protocols[i].protocol;
        return REMOTE_PROTOCOL_NONE;
}

/* Size counts on past the room, so that the end can tell that the message was too long. */
static void keep(RemoteReader *reader, const uint8_t *data, size_t size) {
        size_t room = reader->size < sizeof(reader->kept) ? sizeof(reader->kept) - reader->size : 0;

        memcpy(reader->kept + sizeof(reader->kept) - room, data, size < room ? size : room);
        reader->size += size;
}

RemoteEvent remote_piece(RemoteReader *reader, const uint8_t **data, size_t *size) {
        if (!reader->inside) {
                reader->inside = true;
                reader->channel = **data;
                reader->size = 0;
                *data += 1;
                *size -= 1;
        }
        if (reader->channel == REMOTE_STDIN)
                return *size > 0 ? REMOTE_EVENT_INPUT : REMOTE_EVENT_NONE;
        if (reader->channel == REMOTE_RESIZE || reader->channel == REMOTE_CLOSE)
                keep(reader, *data, *size);
        return REMOTE_EVENT_NONE;
}

int remote_end(RemoteReader *reader, RemoteEvent *ret_event, Error *error) {
        bool inside = reader->inside;

        *ret_event = REMOTE_EVENT_NONE;
        reader->inside = false;
        if (!inside)
                return 0;
        if (reader->channel == REMOTE_RESIZE) {
                if (reader->size > sizeof(reader->kept))
                        return error_set(error, ERROR_PEER, 0, "a resize message of %zu bytes",
                                reader->size);
                *ret_event = REMOTE_EVENT_RESIZE;
        }
        if (reader->channel == REMOTE_CLOSE && reader->protocol == REMOTE_PROTOCOL_V5) {
                if (reader->size != 1)
                        return error_set(error, ERROR_PEER, 0,
                                "a close message that names %zu channels", reader->size);
                /* The client may close what it reads, too; that changes nothing for us. */
                if ((uint8_t)reader->kept[0] == REMOTE_STDIN)
                        *ret_event = REMOTE_EVENT_INPUT_END;
        }
        return 0;
}
