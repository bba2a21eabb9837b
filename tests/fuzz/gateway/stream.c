/* SPDX-License-Identifier: Apache-2.0 */

/* WebSocket frames of a client, as bytes on a socket: the stream and the library under it. */
#include "sidecar/gateway/stream.h"

#include <assert.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_piece(void *owner, const uint8_t *data, size_t size) {
        assert(size > 0);
}

static void on_nothing(void *owner) {
}

static void on_closed(void *owner) {
        stream_close(*(Stream **)owner, STREAM_NORMAL);
}

static void on_gone(void *owner) {
        *(Stream **)owner = stream_free(*(Stream **)owner);
}

static const StreamEvents events = {
        on_piece,
        on_nothing,
        on_nothing,
        on_nothing,
        on_closed,
        on_gone,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct event_base *loop = event_base_new();
        Stream *stream = NULL;
        int pair[2];

        if (size > 65536 ||
                socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
                abort();
        (void)!write(pair[1], data, size);
        (void)shutdown(pair[1], SHUT_WR);
        stream = stream_new(transport_new(loop, pair[0], NULL), &events, &stream);
        for (int i = 0; i < 20 && stream != NULL; i++)
                (void)event_base_loop(loop, EVLOOP_NONBLOCK);
        (void)stream_free(stream);
        event_base_free(loop);
        (void)close(pair[1]);
        return 0;
}
