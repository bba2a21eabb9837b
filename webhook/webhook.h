/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Webhook: the process. One TLS port, its clients, the certificate that may change, an end that
 * leaves no API server waiting.
 *
 * It holds nothing: no token, no capability; when it serves it has given up files but the
 * certificate's, the network but what it accepts, and new programs (http/confine.h).
 */
#include "base/cleanup.h"
#include "base/error.h"

struct ConfineNeeds;
typedef struct Webhook Webhook;

#define WEBHOOK_CLIENTS_MAX 128U                 /* an API server keeps a handful */
#define WEBHOOK_BODIES_MAX (16U * 1024U * 1024U) /* bytes of bodies on their way, in all */

/* How files and calls are given up: confine_for_good(), but for tools that need them. */
typedef int (*WebhookConfine)(const struct ConfineNeeds *needs, Error *error);

typedef struct WebhookOptions {
        unsigned short port;  /* on all addresses; 0: any, for tests, which read it from the log */
        const char *settings; /* file */
        const char *certificates; /* directory with tls.crt and tls.key */
} WebhookOptions;

int webhook_new(const WebhookOptions *options, Webhook **ret_webhook, Error *error);
Webhook *webhook_free(Webhook *webhook);
DEFINE_CLEANUP(Webhook *, webhook_free);

/* Gives up what it does not need and serves until SIGTERM or SIGINT. */
int webhook_run(Webhook *webhook, WebhookConfine confine, Error *error);
