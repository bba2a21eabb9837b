/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Settings: what the webhook adds to a pod, as the chart writes it (docs/formats/webhook.md). The
 * container and the volumes are Kubernetes' own objects and are taken as they are: they are written
 * once, in the chart, for the mutating policy and for us.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct json_t;

#define SETTINGS_SIZE_MAX (256U * 1024U)

typedef struct Settings {
        struct json_t *document;        /* owned; the next three are parts of it */
        struct json_t *sidecar;         /* the container */
        struct json_t *volumes;         /* of the sidecar, a list */
        struct json_t *proxy_variables; /* {name, value} for every other container, a list */
        bool user_namespaces;           /* hostUsers: false, where the pod's ids allow it */
        bool default_container;         /* kubectl exec without -c reaches the sandbox */
} Settings;

/* From JSON text. ERROR_INPUT names the key that is wrong, ERROR_LIMIT: no memory. */
int settings_parse(const char *text, size_t size, Settings **ret_settings, Error *error);
Settings *settings_free(Settings *settings);
DEFINE_CLEANUP(Settings *, settings_free);
