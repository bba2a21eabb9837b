/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Route: what a request's path asks for. The few paths of the Kubernetes API that clients of exec
 * need, and the health paths. */
#include "base/error.h"

typedef enum RouteKind {
        ROUTE_UNKNOWN = 0,
        ROUTE_LIVE,         /* /healthz, /livez: without a token */
        ROUTE_READY,        /* /readyz: without a token */
        ROUTE_VERSION,      /* /version */
        ROUTE_API,          /* /api */
        ROUTE_GROUPS,       /* /apis */
        ROUTE_RESOURCES,    /* /api/v1 */
        ROUTE_NAMESPACE,    /* /api/v1/namespaces/NS: kubectl asks when it did not find a pod */
        ROUTE_POD,          /* /api/v1/namespaces/NS/pods/POD */
        ROUTE_EXEC,         /* .../exec */
        ROUTE_PORT_FORWARD, /* .../portforward */
} RouteKind;

/* RFC 1123 lengths, as Kubernetes takes them. */
#define ROUTE_NAMESPACE_MAX 63
#define ROUTE_POD_MAX 253

typedef struct Route {
        RouteKind kind;
        char pod_namespace[ROUTE_NAMESPACE_MAX + 1]; /* "" where the path names none */
        char pod[ROUTE_POD_MAX + 1];
        const char *query; /* borrowed from the target; "" when there is none */
} Route;

/* A path nobody serves is ROUTE_UNKNOWN, not an error. ERROR_INPUT: a target that is no path, or a
 * name that cannot be one.
 *
 * A prefix `/api/v1/namespaces/NS/{pods,services}/NAME/proxy` in front, as it stands in a client's
 * server address, is taken off. */
int route_parse(const char *target, Route *ret_route, Error *error);
