/* SPDX-License-Identifier: Apache-2.0 */

/*
 * podman keeps a bundle at STORAGE/overlay-containers/ID/userdata, and the list two directories
 * above. The list is root's and only looked through here for the id; it is parsed in a jail
 * (bundle.c).
 */
#include "hook/storage.h"

#include "hook/bundle.h"

#include <stdlib.h>
#include <string.h>

#define SUFFIX "/userdata"

int storage_read(const char *id, const char *bundle, Storage *ret_storage, Error *error) {
        static const char *const lists[] = { "../../containers.json",
                "../../volatile-containers.json" };
        size_t length = strlen(bundle), suffix = strlen(SUFFIX);

        *ret_storage = (Storage){ 0 };
        if (length <= suffix || strcmp(bundle + length - suffix, SUFFIX) != 0)
                return 0;
        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
                cleanup(storage_freep) Storage storage = { 0 };
                int r = bundle_read_file(
                        bundle, lists[i], STORAGE_SIZE_MAX, &storage.text, &storage.size, error);

                if (r < 0)
                        return -1;
                if (r > 0 || memmem(storage.text, storage.size, id, strlen(id)) == NULL)
                        continue;
                *ret_storage = take(storage, (Storage){ 0 });
                return 0;
        }
        return 0;
}

Storage storage_free(Storage storage) {
        free(storage.text);
        return (Storage){ 0 };
}
