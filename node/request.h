/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Request: one call to the API server, as the pod's service account. Blocking, with a limit on time
 * and size: the program has nothing else to do.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Server {
        const char *address;     /* https://HOST:PORT */
        const char *credentials; /* folder with token and ca.crt, as Kubernetes mounts them */
} Server;

typedef struct Answer {
        long status; /* HTTP */
        char *body;  /* NUL-ended; "" when there is none */
        size_t size;
} Answer;

Answer answer_free(Answer answer);
DEFINE_CLEANUP(Answer, answer_free);

/* Address from KUBERNETES_SERVICE_HOST and _PORT (borrowed buffer of the caller), ERROR_INPUT
 * outside of a cluster. */
int server_from_environment(char address[static 256], Server *ret_server, Error *error);

/* 0 for any answer, whatever its status. `type` and `body` NULL: none is sent. */
int server_ask(const Server *server, const char *method, const char *path, const char *type,
        const char *body, Answer *ret_answer, Error *error);

/* The same; a status outside of 200..299 is ERROR_DENIED (401, 403) or ERROR_PEER, with the API
 * server's own message. `missing_ok`: 404 is 1. */
int server_tell(const Server *server, const char *method, const char *path, const char *type,
        const char *body, int missing_ok, Answer *ret_answer, Error *error);
