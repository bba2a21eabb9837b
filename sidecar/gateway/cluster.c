/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/cluster.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHORITY_SIZE_MAX (1024U * 1024U)
#define AUDIENCE_PREFIX "navigator.sandbox/"

Cluster cluster_free(Cluster cluster) {
        free(cluster.authority);
        (void)fd_close(cluster.credentials);
        return CLUSTER_NONE;
}

static bool read_address(Cluster *cluster) {
        const char *host = getenv("KUBERNETES_SERVICE_HOST");
        const char *port = getenv("KUBERNETES_SERVICE_PORT");
        uint64_t number;
        bool is_v6;
        int r;

        if (host == NULL || port == NULL ||
                !number_parse(port, strlen(port), UINT16_MAX, &number) || number == 0)
                return false;
        is_v6 = strchr(host, ':') != NULL;
        r = snprintf(cluster->address, sizeof(cluster->address), "https://%s%s%s:%s",
                is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
        cluster->port = (uint16_t)number;
        return r > 0 && (size_t)r < sizeof(cluster->address);
}

static bool read_pod(Cluster *cluster) {
        int r;

        cluster->pod_namespace = getenv("POD_NAMESPACE");
        cluster->pod = getenv("POD_NAME");
        cluster->pod_uid = getenv("POD_UID");
        if (cluster->pod_namespace == NULL || cluster->pod == NULL || cluster->pod_uid == NULL ||
                cluster->pod_uid[0] == '\0')
                return false;
        r = snprintf(cluster->audience, sizeof(cluster->audience), AUDIENCE_PREFIX "%s",
                cluster->pod_uid);
        return r > 0 && (size_t)r < sizeof(cluster->audience);
}

int cluster_read(int credentials, Cluster *ret_cluster, Error *error) {
        cleanup(cluster_freep) Cluster cluster = { .credentials = credentials };

        if (!read_address(&cluster) || !read_pod(&cluster))
                return 1;
        if (file_read(credentials, "ca.crt", AUTHORITY_SIZE_MAX, &cluster.authority,
                    &cluster.authority_size, error) < 0)
                return error_context(error, "the cluster's credentials");
        *ret_cluster = take(cluster, CLUSTER_NONE);
        return 0;
}
