/* SPDX-License-Identifier: Apache-2.0 */

/* An image's passwd and group: whatever they say, no session is root. */
#include "hook/identity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "sandbox", "app", "1000" };
        const char *text = (const char *)data;
        const char *gap = size > 0 ? memchr(text, 0, size) : NULL;
        size_t first = gap != NULL ? (size_t)(gap - text) : size;

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const IdentityWish wish = {
                        .user = names[i],
                        .group = names[i],
                        .passwd = { text, first },
                        .groups = { text + first, size - first },
                        .new_uid = 64750,
                        .new_gid = 64750,
                };
                Packer result = packer_growing(65536);
                Identity identity;
                Unpacker fields;
                Error error;

                if (identity_resolve(&wish, &result, &error) == 0) {
                        fields = unpacker(result.data, result.size);
                        identity_unpack(&fields, &identity);
                        if (!unpack_end(&fields) || identity.record.uid == 0 ||
                                identity.record.gid == 0)
                                abort();
                }
                packer_done(&result);
        }
        return 0;
}
