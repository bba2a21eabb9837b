/* SPDX-License-Identifier: Apache-2.0 */

/* What a role that was taken over may send to the launcher: every message that it reads, by the
 * type in the first bytes. */
#include "sidecar/wire/network.h"
#include "sidecar/wire/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_session_start(WireMessage *message) {
        WireSessionStart start;
        Error error;

        if (wire_session_start_read(message, &start, &error) < 0)
                return;
        free(start.arguments);
        free(start.environment);
}

static void read_audit(WireMessage *message) {
        const char **pairs;
        const char *event;
        Error error;

        if (wire_audit_read(message, &event, &pairs, &error) == 0)
                free(pairs);
}

static void read_programs(WireMessage *message) {
        const char **paths;
        const char *container;
        Error error;

        if (wire_programs_ask_read(message, &container, &paths, &error) == 0)
                free(paths);
}

static void read_others(WireMessage *message) {
        WireOwnerAsk ask;
        WireSocket where;
        const char *reason;
        uint16_t port;
        Error error;

        switch ((int)message->header.type) {
        case WIRE_SESSION_STOP:
                (void)wire_session_stop_read(message, &reason, &error);
                return;
        case WIRE_CONNECT:
                (void)wire_connect_read(message, &port, &error);
                return;
        case WIRE_LISTEN:
                (void)wire_listen_read(message, &where, &error);
                return;
        case WIRE_UNLISTEN:
                (void)wire_unlisten_read(message, &where, &error);
                return;
        case WIRE_OWNER_ASK:
                (void)wire_owner_ask_read(message, &ask, &error);
                return;
        default:
                return;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static WireMessage message;

        if (size < 1 || size > sizeof(message.bytes))
                return 0;
        memcpy(message.bytes, data, size);
        message.header = (WireHeader){ .type = (WireType)data[0], .id = 1 };
        message.fields = unpacker(message.bytes + 1, size - 1);
        if (message.header.type == WIRE_SESSION_START)
                read_session_start(&message);
        else if (message.header.type == WIRE_AUDIT)
                read_audit(&message);
        else if (message.header.type == WIRE_PROGRAMS_ASK)
                read_programs(&message);
        else
                read_others(&message);
        return 0;
}
