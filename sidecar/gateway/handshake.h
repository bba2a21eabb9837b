/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Handshake: whether a request may become a WebSocket, and what the answer says (RFC 6455
 * section 4.2). */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "http/head.h"

struct evbuffer;

#define HANDSHAKE_ACCEPT_SIZE 29U /* base64 of a SHA-1, and its NUL */

/* What a path speaks: find says the number of a name, 0 for one that is not spoken. */
typedef struct HandshakeProtocols {
        int (*find)(const char *name, size_t size);
        int unnamed;       /* of a client that offers none; 0: it has to offer one */
        const char *names; /* for the message: "a and b are" */
} HandshakeProtocols;

typedef struct Handshake {
        int protocol;
        const char *name; /* of the chosen protocol, in the head; not NUL-ended */
        size_t name_size; /* 0: the client offered none and gets none */
        char accept[HANDSHAKE_ACCEPT_SIZE];
} Handshake;

/* The client asks for a WebSocket; whether it may have one is handshake_check()'s. */
bool handshake_wanted(const Head *head);

/* The first offered protocol that we speak. ERROR_INPUT: not a WebSocket upgrade, or none of its
 * protocols is ours. */
int handshake_check(const Head *head, const HandshakeProtocols *protocols, Handshake *ret_handshake,
        Error *error);

/* A browser's page of another site must not open a session with what the browser knows: an Origin
 * has to be that of the Host. ERROR_DENIED. */
int handshake_check_origin(const Head *head, Error *error);

/* The bearer token among the offered protocols, still base64url; NULL when there is none. Browsers
 * cannot set Authorization. */
const char *handshake_token(const Head *head, size_t *ret_size);

/* The answer that makes the connection a WebSocket: 101. 0, or -1: no memory. */
int handshake_write(struct evbuffer *output, const Handshake *handshake);
