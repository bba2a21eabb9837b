/* SPDX-License-Identifier: Apache-2.0 */

/* The state on standard input: annotations are whatever a pod's author wrote. */
#include "hook/state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const StateText input = { .text = (const char *)data, .size = size };
        Packer result = packer_growing(STATE_SIZE_MAX);
        State state;
        Error error;

        /* what the parser accepts, the reader believes */
        if (state_parse(&input, &result, &error) == 0 &&
                state_unpack(result.data, result.size, &state, &error) < 0)
                abort();
        packer_done(&result);
        /* and whatever a broken parser says, it survives */
        (void)state_unpack(data, size, &state, &error);
        return 0;
}
