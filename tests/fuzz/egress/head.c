/* SPDX-License-Identifier: Apache-2.0 */

/* The head of a proxy request. What was written anew for the next server must be read by the same
 * rules as the same request. */
#include "sidecar/egress/request.h"

#include <stdlib.h>
#include <string.h>

#define ADDED_HEADERS 2U /* Host, Connection */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static char forward[REQUEST_FORWARD_MAX];
        static Request request, again;
        unsigned status = 0;
        Error error;
        size_t written;
        int r = request_parse((const char *)data, size, &request, &status, &error);

        if (r < 0 && status == 0)
                abort();
        if (r != 0 || request.form != REQUEST_FORWARD)
                return 0;
        written = request_write_forward(&request, "", forward, sizeof(forward));
        if (written == 0)
                abort();
        if (written > REQUEST_HEAD_MAX || request.header_count + ADDED_HEADERS > REQUEST_HEADERS_MAX)
                return 0; /* others may take more than we do */
        if (request_parse(forward, written, &again, &status, &error) != 0 ||
                again.head_size != written || again.body_size != request.body_size ||
                !destination_equal(&again.destination, &request.destination))
                abort();
        return 0;
}
