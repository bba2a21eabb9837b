/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Cluster: which pod this is, and where the API server is that can say who may open sessions in it.
 *
 * The names come from the environment that the chart's admission policy gives the sidecar, the
 * credentials from the launcher: a directory with ca.crt and token, as Kubernetes mounts them.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Cluster {
        char address[256]; /* https://HOST:PORT */
        uint16_t port;
        const char *pod_namespace, *pod, *pod_uid; /* borrowed from the environment */
        char audience[128];                        /* of tokens for this one pod */
        char *authority;                           /* owned: PEM */
        size_t authority_size;
        int credentials; /* owned: the directory; the token in it changes while we run */
} Cluster;

/* Takes the directory. 1: the environment names no cluster, *ret_cluster is not filled. */
int cluster_read(int credentials, Cluster *ret_cluster, Error *error);
Cluster cluster_free(Cluster cluster);
DEFINE_CLEANUP(Cluster, cluster_free);
#define CLUSTER_NONE ((Cluster){ .credentials = -1 })
