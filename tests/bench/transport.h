/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A blocking connection to the gateway: a unix socket, or TLS to a port of 127.0.0.1 with one
 * certificate that is trusted. */
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Transport Transport;
typedef struct ssl_ctx_st TransportTrust; /* OpenSSL's */

/* Connects to a path; shared with the control socket of ssh. The descriptor, or -1 with *error. */
int transport_connect_unix(const char *path, Error *error);

/* What the gateway's certificate has to be; shared by connections and threads. */
int transport_trust(const char *certificate, TransportTrust **ret_trust, Error *error);
TransportTrust *transport_trust_free(TransportTrust *trust);

int transport_open_unix(const char *path, Transport **ret_transport, Error *error);
int transport_open_tls(
        uint16_t port, TransportTrust *trust, Transport **ret_transport, Error *error);

/* All of it, or -1 with *error. */
int transport_write(Transport *transport, const void *data, size_t size, Error *error);
/* At least one byte; 0 at the end; -1 with *error. */
ssize_t transport_read(Transport *transport, void *data, size_t room, Error *error);

Transport *transport_free(Transport *transport);
