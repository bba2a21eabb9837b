/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Route: from "who wants to go where" to a connected socket: the steps DECIDING, RESOLVING,
 * CONNECTING and INTRODUCING of a connection. */
#include "sidecar/egress/connection.h"

/* Starts when both the owner and the destination are known; called whenever one of them has become
 * so. May close the connection. */
void route_begin(Connection *connection);

/* What route.c needs of connection.c: */
int connection_watch_upstream(Connection *connection);
/* Both sides are connected. May close the connection. */
void connection_begin_relay(Connection *connection);
