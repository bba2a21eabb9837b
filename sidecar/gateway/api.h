/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The JSON documents that a Kubernetes client expects of an API server: discovery, one pod, and
 * Status as the answer to what went wrong and as the end of a session. docs/formats/exec.md shows
 * them.
 *
 * Every function returns malloc'ed compact JSON, or NULL when there is no memory.
 */
#include "base/error.h"
#include "sidecar/gateway/route.h"
#include "sidecar/gateway/targets.h"

/* For ROUTE_VERSION, ROUTE_API, ROUTE_GROUPS and ROUTE_RESOURCES. */
char *api_discovery(RouteKind kind);

char *api_namespace(const Route *route);
/* The pod under the name it was asked for. */
char *api_pod(const Route *route, const Targets *targets);

/* Status for an HTTP answer; the reason follows from the code. */
char *api_status(unsigned http_code, const char *message);

/* The HTTP code that tells a client about an error of this kind. */
unsigned api_code(ErrorKind kind);

/* Status for the end of a session: an exit code, or a failure of ours. A failure has an exit code
 * as well (1), because the Python client cannot do without. sandbox is what the launcher said about
 * this session (what is degraded or limited); "" adds nothing. */
char *api_session_exit(unsigned exit_code, const char *sandbox);
char *api_session_failure(unsigned http_code, const char *message);
