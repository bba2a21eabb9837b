/* SPDX-License-Identifier: Apache-2.0 */

/* The hook's record, as the launcher reads it: what is taken must pack to the very same bytes. */
#include "sidecar/wire/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Packer packer = packer_growing(RECORD_SIZE_MAX);
        Record record;
        Error error;

        if (record_unpack(data, size, &record, &error) < 0)
                return 0;
        record_pack(&record, &packer);
        if (!packer.failed && (packer.size != size || memcmp(packer.data, data, size) != 0))
                abort();
        packer_done(&packer);
        free(record.environment);
        return 0;
}
