/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Upgrade: from a request to an open WebSocket on the gateway's local socket. */
#include <stddef.h>

#include "base/error.h"

typedef struct SessionRequest SessionRequest;

/* *ret_socket is the caller's, and so is *ret_early (malloc'ed, or NULL): frames that came right
 * behind the answer. A refusal is an Error with the gateway's own words. */
int upgrade(const SessionRequest *request, int *ret_socket, char **ret_early,
        size_t *ret_early_size, Error *error);
