/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Authorities: certificate authorities of the node's administrator, which every session trusts
 * beside those of its image: a company's proxy that looks into TLS, a mirror behind a name of the
 * company's own. Without the node's file nothing changes: egress looks into no TLS, so it has no
 * authority of its own to add.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/node.h"
#include "hook/rootfs.h"

#define AUTHORITIES_OWN "ca.pem"           /* in /etc/navigator: the node's file */
#define AUTHORITIES_BUNDLE "ca-bundle.pem" /* the image's own, and the node's behind them */

typedef struct Authorities {
        char *own; /* owned, PEM; NULL: the node adds none */
        size_t own_size;
        char *bundle; /* owned; NULL until authorities_join() */
        size_t bundle_size;
} Authorities;

/* "NAME=value", NULL-ended: where programs look for whom to trust. */
extern const char *const authority_variables[];

/* The node's file, where it exists. */
int authorities_read(const Node *node, Authorities *ret_authorities, Error *error);

/* Inside the container's mount namespace: finds the image's bundle, at `named` (the container's
 * SSL_CERT_FILE, or NULL) or where distributions have it, and joins the two. */
int authorities_extend(
        Authorities *authorities, const Rootfs *rootfs, const char *named, Error *error);

/* The second half of it. Pure. */
int authorities_join(Authorities *authorities, const char *image, size_t size, Error *error);

Authorities authorities_free(Authorities authorities);
DEFINE_CLEANUP(Authorities, authorities_free);
