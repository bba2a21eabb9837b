/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ask: questions to the API server, in the loop: libcurl does the talking, libevent the waiting.
 * The only place that knows libcurl.
 */
#include "base/cleanup.h"
#include "base/error.h"

struct Cluster;
struct event_base;
typedef struct Asker Asker;
typedef struct Question Question;

/* status: of HTTP; 0 when there was no answer. body: NUL-ended, "" without an answer; borrowed. */
typedef void (*AskDone)(void *owner, long status, const char *body);

/* Borrows both for its life. Before confinement: libraries are warmed. */
int asker_new(
        struct event_base *loop, const struct Cluster *cluster, Asker **ret_asker, Error *error);
Asker *asker_free(Asker *asker);
DEFINE_CLEANUP(Asker *, asker_free);

/* POSTs a JSON text (copied). `done` is called once, from the loop, unless it is cancelled; the
 * question is gone by then. NULL: it cannot be asked. */
Question *ask(Asker *asker, const char *path, const char *body, AskDone done, void *owner);
Question *ask_cancel(Question *question);
