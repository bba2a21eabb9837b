/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Proxy: the variables by which programs find the egress proxy. The hook writes them for login
 * shells and tools, the launcher puts them into every session, the chart into the workload's own
 * containers.
 *
 * Each name in both cases: curl reads only the lower one for http (the upper could come from a CGI
 * request header), many others only the upper. NODE_USE_ENV_PROXY is Node's own switch for reading
 * them.
 */
#define PROXY_URL "http://127.0.0.1:3128"
#define PROXY_EXCEPT "127.0.0.1,localhost,::1" /* a server of the sandbox's own */

/* "NAME=value", NULL-ended. */
extern const char *const proxy_variables[];
