/* SPDX-License-Identifier: Apache-2.0 */

/* SPDY frames in pieces. Input: the size of pieces, then the bytes. */
#include "sidecar/gateway/spdy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup(spdy_reader_freep) SpdyReader *reader = spdy_reader_new();
        size_t most = size > 0 ? data[0] + 1U : 1;
        Error error;
        int r = 0;

        for (size_t at = 1; at < size && r >= 0; at += most) {
                const uint8_t *piece = data + at;
                size_t left = size - at < most ? size - at : most;
                SpdyFrame frame;

                while ((r = spdy_read(reader, &piece, &left, &frame, &error)) > 0)
                        assert(frame.size == 0 || frame.type == SPDY_DATA);
                assert(r < 0 || left == 0);
        }
        return 0;
}
