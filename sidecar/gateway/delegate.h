/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Delegate: lets the cluster decide who a caller is and whether he may.
 *
 * A yes is remembered for a few seconds, so that a client's several requests are one decision; a no
 * is asked again. Without an answer nobody gets in.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/gateway/review.h"

struct Cluster;
struct event_base;
typedef struct Delegate Delegate;
typedef struct DelegateCall DelegateCall;

typedef enum DelegateVerdict {
        DELEGATE_ALLOWED,
        DELEGATE_UNKNOWN,   /* nobody's token, or not meant for this pod */
        DELEGATE_FORBIDDEN, /* somebody's, who may not */
        DELEGATE_SILENT,    /* no answer from the API server */
} DelegateVerdict;

/* name: of the user, "" when he is not known. */
typedef void (*DelegateDone)(void *owner, DelegateVerdict verdict, const char *name);

/* Borrows both for its life. */
int delegate_new(struct event_base *loop, const struct Cluster *cluster, Delegate **ret_delegate,
        Error *error);
Delegate *delegate_free(Delegate *delegate);
DEFINE_CLEANUP(Delegate *, delegate_free);

/* Begins a decision about `verb` sessions of this pod; done is called once, from the loop, unless
 * it is cancelled. The token is copied into the question. NULL: no memory. */
DelegateCall *delegate_start(Delegate *delegate, const char *token, size_t size, const char *verb,
        DelegateDone done, void *owner);
DelegateCall *delegate_cancel(DelegateCall *call);
