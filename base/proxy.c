/* SPDX-License-Identifier: Apache-2.0 */

#include "base/proxy.h"

#include <stddef.h>

const char *const proxy_variables[] = {
        "HTTP_PROXY=" PROXY_URL,
        "HTTPS_PROXY=" PROXY_URL,
        "ALL_PROXY=" PROXY_URL,
        "http_proxy=" PROXY_URL,
        "https_proxy=" PROXY_URL,
        "all_proxy=" PROXY_URL,
        "grpc_proxy=" PROXY_URL,
        "NO_PROXY=" PROXY_EXCEPT,
        "no_proxy=" PROXY_EXCEPT,
        "NODE_USE_ENV_PROXY=1",
        NULL,
};
