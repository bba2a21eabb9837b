/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ExecRequest: the query of an exec, checked, in the form the launcher takes. docs/formats/exec.md
 * lists the parameters: those of Kubernetes' PodExecOptions and ours (login, env, workdir,
 * timeout). Unknown ones are ignored, as the API server does.
 */
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/gateway/query.h"
#include "sidecar/wire/wire.h"

#define EXEC_TIMEOUT_MAX 604800U /* a week, in seconds */
#define EXEC_CALLER_MAX 256U

typedef struct ExecRequest {
        WireSessionStart start;   /* strings point into the query and this record */
        uint32_t timeout_seconds; /* 0: none */
        char caller[EXEC_CALLER_MAX];
        Query query;
} ExecRequest;

/* ERROR_INPUT or ERROR_LIMIT say which parameter and why. *ret_request is the caller's:
 * exec_request_free(). */
int exec_request_new(const char *query, ExecRequest **ret_request, Error *error);
/* Who asks, and how ("tls", "unix"; borrowed for life): not the query's to say. */
void exec_request_set_caller(ExecRequest *request, const char *caller, const char *source);
ExecRequest *exec_request_free(ExecRequest *request);
DEFINE_CLEANUP(ExecRequest *, exec_request_free);
