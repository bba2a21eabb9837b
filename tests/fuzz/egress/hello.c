/* SPDX-License-Identifier: Apache-2.0 */

/* The first bytes of a TLS connection. What is incomplete must not become another answer when its
 * own bytes are cut. */
#include "sidecar/egress/hello.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Hello hello = { 0 };
        Error error;
        int r = hello_parse(data, size, &hello, &error);

        if (r == 0 && strlen(hello.server_name) >= HELLO_NAME_SIZE)
                abort();
        if (r == HELLO_INCOMPLETE && size > 1 && hello_parse(data, size / 2, &hello, &error) < 0)
                abort(); /* a good beginning has only good beginnings */
        return 0;
}
