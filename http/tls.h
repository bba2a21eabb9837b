/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tls: the server's side of TLS 1.2 and 1.3 as a bufferevent. The only place that knows which
 * library does it. */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct bufferevent;
struct event_base;
typedef struct Tls Tls;

/* From PEM text: a certificate with its chain, and its key. Nothing is kept of them but what the
 * library parsed. */
int tls_new(const char *certificate, size_t certificate_size, const char *key, size_t key_size,
        Tls **ret_tls, Error *error);
Tls *tls_free(Tls *tls);
DEFINE_CLEANUP(Tls *, tls_free);

/* The connection on fd, its handshake under way. Owns fd. NULL when there is no memory: fd is then
 * still the caller's. */
struct bufferevent *tls_accept(Tls *tls, struct event_base *loop, int fd);

/* Tells the peer that nothing more will come (close_notify). For a connection of tls_accept() whose
 * output is empty. */
void tls_shutdown(struct bufferevent *connection);
