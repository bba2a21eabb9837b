/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A node's root directory of a test's own, below the temporary directory; removed with everything
 * in it. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct TestNode {
        char path[64];
        int root;
} TestNode;

static inline int node_set_up(void **state) {
        TestNode *node = calloc(1, sizeof(*node));

        if (node == NULL)
                return -1;
        (void)snprintf(node->path, sizeof(node->path), "/tmp/navigator-node-XXXXXX");
        if (mkdtemp(node->path) == NULL)
                return -1;
        node->root = open(node->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        *state = node;
        return node->root < 0 ? -1 : 0;
}

static inline int node_remove_one(
        const char *path, const struct stat *status, int kind, struct FTW *where) {
        return remove(path);
}

static inline int node_tear_down(void **state) {
        TestNode *node = *state;

        (void)close(node->root);
        (void)nftw(node->path, node_remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(node);
        return 0;
}

/* The path of a file of the node, in a buffer of the caller. */
static inline const char *node_path(
        const TestNode *node, const char *path, char buffer[static 512]) {
        (void)snprintf(buffer, 512, "%s%s", node->path, path);
        return buffer;
}

/* A file with its directories. */
static inline void node_write(const TestNode *node, const char *path, const char *text) {
        char full[512];
        FILE *file;

        (void)node_path(node, path, full);
        for (char *slash = strchr(full + strlen(node->path) + 1, '/'); slash != NULL;
                slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void)mkdir(full, 0755);
                *slash = '/';
        }
        file = fopen(full, "we");
        if (file != NULL) {
                (void)fputs(text, file);
                (void)fclose(file);
        }
}

/* What a file says; "" when it is missing. */
static inline const char *node_text(
        const TestNode *node, const char *path, char buffer[static 4096]) {
        char full[512];
        FILE *file = fopen(node_path(node, path, full), "re");
        size_t size = file != NULL ? fread(buffer, 1, 4095, file) : 0;

        buffer[size] = '\0';
        if (file != NULL)
                (void)fclose(file);
        return buffer;
}
