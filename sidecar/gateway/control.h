/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Control: the launcher, as the gateway sees it. It gives what the gateway serves with, says what
 * can be entered, and runs sessions on request.
 *
 * Requests are numbered once and never again, and a record of each lives here until the launcher
 * has said how it ended, whether or not its owner is still there: a late answer meets either its
 * record or nobody.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/wire/wire.h"

struct event_base;
typedef struct Control Control;
typedef struct ControlRequest ControlRequest;
typedef struct Targets Targets;

/* From the loop; each may do anything but free the control. */
typedef struct ControlEvents {
        void (*given)(void *owner, const char *name, int fd); /* fd is the owner's */
        void (*targets)(void *owner);                         /* what can be entered has changed */
        void (*start)(void *owner);                           /* everything was given */
        void (*lost)(void *owner); /* the launcher is gone, or broke the protocol */
} ControlEvents;

/* How a session goes on. Descriptors are taken by setting them to -1; the others are closed. After
 * refused() and ended() the request is over. */
typedef struct ControlSessionEvents {
        void (*started)(void *owner, const char *status, int *fds, size_t fd_count);
        void (*refused)(void *owner, const WireSessionRefused *refused);
        void (*ended)(void *owner, uint8_t exit_code);
} ControlSessionEvents;

/* Borrows the socket. */
int control_new(struct event_base *loop, int socket, const ControlEvents *events, void *owner,
        Control **ret_control, Error *error);
Control *control_free(Control *control);
DEFINE_CLEANUP(Control *, control_free);

/* Tells the launcher that we serve. */
int control_ready(Control *control);

const Targets *control_targets(const Control *control);
/* Sessions that were asked for and have not ended. */
unsigned control_session_count(const Control *control);

/* Asks for a session. start is borrowed until one of the events came, or the owner has left. NULL:
 * no memory. */
ControlRequest *control_session_start(Control *control, const WireSessionStart *start,
        const ControlSessionEvents *events, void *owner);
/* Asks for its end; ended() still comes. reason is borrowed for life: a literal. */
void control_session_stop(ControlRequest *request, const char *reason);
/* The owner hears no more of it; a session that still runs is stopped. */
void control_session_leave(ControlRequest *request, const char *reason);

/* A connection to a port of the sandbox's network: connected() has a socket that may still be on
 * its way, and is the owner's; refused() says why. After either the request is over. NULL: no
 * memory. */
typedef struct ControlConnectEvents {
        void (*connected)(void *owner, int fd);
        void (*refused)(void *owner, const char *why);
} ControlConnectEvents;

ControlRequest *control_connect(
        Control *control, uint16_t port, const ControlConnectEvents *events, void *owner);
/* The owner hears no more of it. */
void control_connect_leave(ControlRequest *request);

/* One event for the audit, pairs as for wire_audit_write(). Dropped, and counted in the next one,
 * when the launcher does not keep up. */
void control_audit(Control *control, const char *event, const char *const *pairs);
