/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Gateway: the role as a whole: what the launcher gives, the listeners, who is connected, which
 * sessions run.
 *
 * It collects what it is given until the launcher says start, then confines itself, says ready and
 * serves, until the launcher goes.
 */
#include "base/cleanup.h"
#include "base/error.h"

struct ConfineNeeds;
struct event_base;
typedef struct Gateway Gateway;

#define GATEWAY_FORWARDS_MAX 32U     /* port-forwards at once */
#define GATEWAY_CONNECTIONS_MAX 128U /* without a session; the oldest makes room for the next */

/* Called once, between start and ready, when every file is read and every library warm. */
typedef int (*GatewayConfine)(const struct ConfineNeeds *needs, Error *error);

/* Borrows loop and socket. */
int gateway_new(struct event_base *loop, int control_socket, GatewayConfine confine,
        Gateway **ret_gateway, Error *error);
Gateway *gateway_free(Gateway *gateway);
DEFINE_CLEANUP(Gateway *, gateway_free);

/* Runs the loop until the launcher goes (0) or something fails that ends the role (-1). */
int gateway_run(Gateway *gateway, Error *error);
