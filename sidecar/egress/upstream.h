/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Upstream: a TCP connection to one of several addresses, each of which the policy has allowed;
 * nothing is resolved or looked up here, so what is connected to is what was checked.
 *
 * Happy eyeballs (RFC 8305): the families take turns, IPv6 first, and an address that does not
 * answer within 250 ms gets a rival.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/address.h"

#define UPSTREAM_ADDRESSES_MAX 16U
#define UPSTREAM_RIVAL_MS 250
#define UPSTREAM_TIMEOUT_SECONDS 20 /* for all of them together */

struct event_base;
typedef struct Upstream Upstream;

/* Called once, never from within upstream_connect(). A connected, non-blocking socket, which is the
 * receiver's from then on, and the address it goes to; or -1 and why the last one failed (code
 * ETIMEDOUT when nobody answered in time). */
typedef void UpstreamDone(void *context, int fd, const Address *address, const Error *error);

int upstream_connect(struct event_base *loop, const Address *addresses, size_t count, uint16_t port,
        UpstreamDone *done, void *context, Upstream **ret_upstream, Error *error);
/* Gives up; the callback will not come. Not to be called after the callback. Takes NULL, returns
 * NULL. */
Upstream *upstream_cancel(Upstream *upstream);
