/* SPDX-License-Identifier: Apache-2.0 */

/* config.json and podman's list of containers: most values come from images and pods. */
#include "hook/bundle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The two texts, with a NUL between them. */
static BundleText split(const uint8_t *data, size_t size) {
        const uint8_t *gap = memchr(data, 0, size);
        BundleText input = {
                .id = "c1", .bundle = "/b", .config = (const char *)data, .config_size = size
        };

        if (gap != NULL) {
                input.config_size = (size_t)(gap - data);
                input.storage = (const char *)gap + 1;
                input.storage_size = size - input.config_size - 1;
        }
        return input;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Packer result = packer_growing(2 * BUNDLE_CONFIG_MAX);
        BundleText input;
        Bundle bundle;
        Error error;

        if (size == 0)
                return 0;
        input = split(data, size);
        if (bundle_parse(&input, &result, &error) == 0) {
                if (bundle_unpack(result.data, result.size, &bundle, &error) < 0)
                        abort();
                bundle_done(&bundle);
        }
        packer_done(&result);
        if (bundle_unpack(data, size, &bundle, &error) == 0)
                bundle_done(&bundle);
        return 0;
}
