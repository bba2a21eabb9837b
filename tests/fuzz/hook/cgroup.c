/* SPDX-License-Identifier: Apache-2.0 */

/* /proc/PID/cgroup and mountinfo: the kernel's texts, but names in them are the container's and the
 * pods'. */
#include "hook/cgroup.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = malloc(size + 3);
        Cgroup *cgroups = calloc(RECORD_CGROUPS_MAX, sizeof(*cgroups));
        const char *own, *mounts;
        uint32_t count = 0;
        IdMap map;
        uint64_t start_time;
        Error error;

        if (text == NULL || cgroups == NULL)
                abort();
        memcpy(text, data, size);
        memset(text + size, 0, 3);
        own = text + strlen(text) + 1;
        mounts = own < text + size ? own + strlen(own) + 1 : own;
        if (mounts > text + size)
                mounts = "";
        if (own > text + size)
                own = "";
        if (cgroups_match(text, own, mounts, cgroups, &count, &error) == 0)
                for (uint32_t i = 0; i < count; i++)
                        if (cgroups[i].path[0] == '\0' ||
                                strlen(cgroups[i].name) >= CGROUP_NAME_MAX)
                                abort();
        (void)id_map_parse(text, &map);
        (void)process_parse_start_time(text, &start_time);
        free(cgroups);
        free(text);
        return 0;
}
