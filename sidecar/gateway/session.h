/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Session: one WebSocket client and one program in the sandbox, from the answered upgrade to the
 * Status.
 *
 * Owns the stream, the pipes and the deadline. States: STARTING -> RUNNING -> DRAINING -> CLOSING;
 * a client that leaves ends it from any of them.
 */
#include "sidecar/gateway/remotecommand.h"
#include "sidecar/gateway/request.h"

struct event_base;
typedef struct Control Control;
typedef struct Session Session;
typedef struct Transport Transport;

typedef void (*SessionGone)(void *owner, Session *session);

typedef struct SessionParts {
        struct event_base *loop; /* borrowed */
        Control *control;        /* borrowed */
        Transport *transport;    /* taken; its upgrade is answered */
        ExecRequest *request;    /* taken; caller and source are filled */
        RemoteProtocol protocol;
} SessionParts;

/* Starts at once. gone is called once, from the loop, when the session is over and its client has
 * gone: free it then. NULL: no memory; the parts are freed then, too. */
Session *session_new(const SessionParts *parts, SessionGone gone, void *owner);
/* Also ends a session that still runs. */
Session *session_free(Session *session);
