/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Resolver: names to addresses, asked in the pod's network as the pod's own resolv.conf says
 * (servers, search domains, ndots). Nothing is asked before the policy has allowed the name, and
 * what comes back is checked address by address before it is used.
 *
 * Answers are kept for as long as they live, at most RESOLVER_KEEP_SECONDS: with ndots:5 one name
 * costs ten questions. The only file that knows c-ares.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "policy/address.h"

#define RESOLVER_ADDRESSES_MAX 16U /* more of one name are not looked at */
#define RESOLVER_KEEP_SECONDS 30
#define RESOLVER_KEPT_MAX 256U

struct event_base;
typedef struct Resolver Resolver;
typedef struct Resolution Resolution;

/* resolv_conf is a path, borrowed for the call; NULL = /etc/resolv.conf. */
int resolver_new(
        struct event_base *loop, const char *resolv_conf, Resolver **ret_resolver, Error *error);
/* Cancels what is under way; no callback comes any more. */
Resolver *resolver_free(Resolver *resolver);
DEFINE_CLEANUP(Resolver *, resolver_free);

/* Called once, never from within resolver_ask(): addresses and their number; or 0 and the reason.
 * All of it borrowed for the call. */
typedef void ResolverDone(
        void *context, const Address *addresses, size_t count, const Error *error);

/* `host` is a name as Destination spells it. *ret_resolution is valid until `done` is called. */
int resolver_ask(Resolver *resolver, const char *host, ResolverDone *done, void *context,
        Resolution **ret_resolution, Error *error);
/* The callback will not come. */
void resolution_cancel(Resolution *resolution);
