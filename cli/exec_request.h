/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ExecRequest: what one session should run, and the head of the HTTP request that asks for it. */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct ExecRequest {
        const char *pod_namespace, *pod;
        const char *container;  /* "" = the pod's default */
        char *const *arguments; /* NULL-ended */
        bool terminal;
        bool login; /* by a login shell */
} ExecRequest;

/* The whole head, malloc'ed. ERROR_LIMIT: no memory. `key` is Sec-WebSocket-Key. */
int exec_request_write(const ExecRequest *request, const char *key, char **ret_head,
        size_t *ret_size, Error *error);
