/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Node: what this node's administrator decided, from one JSON file that only root can write
 * (docs/formats/node.md). Without the file every value has its default. The file is read only for
 * annotated containers: broken, it stops those, and no others.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/engine.h"

#define NODE_CONFIG_PATH "/etc/navigator/node.json"
#define NODE_RUN_DIRECTORY "/run/navigator"
#define NODE_IMAGES_MAX 32U

struct json_t;

typedef struct Node {
        Engine engine;                /* ENGINE_UNKNOWN: it is told by each bundle */
        const char *run_directory;    /* the hook's own state: records, sockets, its log */
        const char *policy_directory; /* NAME.yaml for node/NAME; default.yaml for pods that name
                                         none */
        const char *ceiling;          /* bounds every policy, where the file exists */
        const char *authorities;      /* added to what sessions trust, where the file exists */
        bool image_policy;            /* may an image bring its own policy? */
        const char *sidecar_container;
        const char *sidecar_images[NODE_IMAGES_MAX];
        size_t sidecar_image_count;
        uint32_t sandbox_uid, sandbox_gid; /* for images without the user `sandbox` */
        uint64_t home_size;                /* bytes of the /sandbox that such an image gets */
        struct json_t *tree;               /* owned: the strings above point into it */
} Node;

/* `path` NULL means NODE_CONFIG_PATH, which may be missing; a named file may not. ERROR_INPUT names
 * key or line and column. */
int node_read(const char *path, Node *ret_node, Error *error);
Node node_free(Node node);
DEFINE_CLEANUP(Node, node_free);

/* The same from memory: what node_read() does after opening. */
int node_parse(const char *name, const char *text, size_t size, Node *ret_node, Error *error);

/* True when `image` is one of sidecar_images. */
bool node_knows_image(const Node *node, const char *image);
