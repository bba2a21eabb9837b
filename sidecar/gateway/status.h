/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* RemoteStatus: the Status document at the end of a session, read by a client of it. */
#include <stddef.h>

#include "base/error.h"

typedef struct RemoteStatus {
        int exit_code; /* of the program; -1: it did not run, message says why */
        char message[ERROR_TEXT_MAX];
} RemoteStatus;

/* Also the Status that answers a request which got no session. ERROR_PEER: not a Status. */
int remote_status_parse(const char *text, size_t size, RemoteStatus *ret_status, Error *error);
