/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A folder of a test's own, as a descriptor, and nothing left of it. */
#include "tests/helpers/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Folder {
        char path[64];
        int fd;
} Folder;

static inline Folder folder_make(void) {
        Folder folder = { .path = "/tmp/navigator-test-XXXXXX" };

        assert_non_null(mkdtemp(folder.path));
        folder.fd = open(folder.path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        assert_true(folder.fd >= 0);
        return folder;
}

/* How many entries there are. */
static inline unsigned folder_count(const Folder *folder) {
        DIR *directory = opendir(folder->path);
        unsigned count = 0;

        assert_non_null(directory);
        while (readdir(directory) != NULL)
                count++;
        (void)closedir(directory);
        return count - 2;
}

/* Of plain files only. */
static inline void folder_remove(Folder *folder) {
        DIR *directory = opendir(folder->path);
        const struct dirent *entry;

        assert_non_null(directory);
        while ((entry = readdir(directory)) != NULL)
                if (entry->d_name[0] != '.')
                        assert_int_equal(unlinkat(folder->fd, entry->d_name, 0), 0);
        (void)closedir(directory);
        (void)close(folder->fd);
        assert_int_equal(rmdir(folder->path), 0);
}
