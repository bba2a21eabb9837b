/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inject: what an annotated pod becomes. Pure: a pod in, operations of a JSON patch (RFC 6902) out.
 *
 * The same as the chart's MutatingAdmissionPolicy (templates/injection/mutate-pods.yaml), step by
 * step: e2e/kubernetes/test_webhook.py gives both the same pods and compares. Nothing here has to
 * be safe against a pod that says otherwise: what its author has said stays, and the chart's
 * validating policies, which see the result, refuse it with a reason.
 */
#include "base/error.h"

struct json_t;
typedef struct Settings Settings;

#define INJECT_ANNOTATION "navigator.sandbox/inject"

/* 1: *ret_patch is a new list of operations; 0: the pod is not annotated, or has a container of the
 * sidecar's name (which is refused elsewhere), and stays as it is; -1: ERROR_INPUT, no pod, or
 * ERROR_LIMIT, no memory. The pod is only read. */
int inject(const Settings *settings, const struct json_t *pod, struct json_t **ret_patch,
        Error *error);
