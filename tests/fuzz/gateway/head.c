/* SPDX-License-Identifier: Apache-2.0 */

/* The head of a request and its route, in pieces: what comes out does not depend on how it came in.
 */
#include "http/head.h"
#include "sidecar/gateway/handshake.h"
#include "sidecar/gateway/remotecommand.h"
#include "sidecar/gateway/route.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const HandshakeProtocols known = { .find = remote_protocol, .names = "those are" };

static int feed(HeadReader *reader, const char *text, size_t size, size_t piece, size_t *ret_used) {
        Error error;
        int r = 0;

        *ret_used = 0;
        while (r == 0 && *ret_used < size) {
                size_t part = size - *ret_used < piece ? size - *ret_used : piece;
                size_t used = 0;

                r = head_reader_feed(reader, text + *ret_used, part, &used, &error);
                *ret_used += used;
        }
        return r;
}

static void use(const Head *head) {
        Handshake handshake;
        size_t size;
        Route route;
        Error error;

        if (route_parse(head->target, &route, &error) == 0)
                assert(strlen(route.pod) <= ROUTE_POD_MAX);
        (void)handshake_check_origin(head, &error);
        (void)handshake_check(head, &known, &handshake, &error);
        (void)handshake_token(head, &size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup(head_reader_freep) HeadReader *whole = head_reader_new(0);
        cleanup(head_reader_freep) HeadReader *pieces = head_reader_new(0);
        size_t used, used_again;
        int r;

        if (size < 1)
                return 0;
        r = feed(whole, (const char *)data + 1, size - 1, size, &used);
        if (feed(pieces, (const char *)data + 1, size - 1, data[0] % 32U + 1, &used_again) != r)
                assert(r != 1);
        else if (r == 1)
                assert(used == used_again && strcmp(head_reader_head(whole)->target,
                                                     head_reader_head(pieces)->target) == 0);
        if (r == 1)
                use(head_reader_head(whole));
        return 0;
}
