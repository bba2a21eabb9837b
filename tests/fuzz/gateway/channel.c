/* SPDX-License-Identifier: Apache-2.0 */

/* Channel messages in pieces. Input: protocol, then size and bytes of each piece; a size of 0 ends
 * the message. */
#include "sidecar/gateway/remotecommand.h"
#include "sidecar/gateway/resize.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void end(RemoteReader *reader) {
        uint16_t columns, rows;
        RemoteEvent event;
        Error error;

        if (remote_end(reader, &event, &error) == 0 && event == REMOTE_EVENT_RESIZE)
                (void)resize_parse(reader->kept, reader->size, &columns, &rows, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        RemoteReader reader = { .protocol = REMOTE_PROTOCOL_V5 };
        size_t at = 1;

        if (size > 0 && data[0] % 2 == 0)
                reader.protocol = REMOTE_PROTOCOL_V4;
        while (at < size) {
                size_t piece_size = data[at++];
                const uint8_t *piece = data + at;

                if (piece_size > size - at)
                        piece_size = size - at;
                if (piece_size == 0) {
                        end(&reader);
                        continue;
                }
                at += piece_size;
                if (remote_piece(&reader, &piece, &piece_size) == REMOTE_EVENT_INPUT)
                        assert(piece_size > 0 && piece + piece_size == data + at);
        }
        end(&reader);
        return 0;
}
