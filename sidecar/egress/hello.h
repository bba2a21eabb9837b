/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hello: the server name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), read before a byte of
 * it is passed on.
 *
 * Pure. The bytes come from the sandbox: a hello may be split over records and segments in any way
 * that TLS permits, and anything TLS does not permit is refused, because what we cannot read we
 * cannot compare with the host that was asked for.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HELLO_CONTENT_TYPE 0x16U /* the first byte of every TLS connection: a handshake record */
#define HELLO_SIZE_MAX                                                                             \
        16384U /* bytes, record headers included; browsers with post-quantum keys send about 1800  \
                */
#define HELLO_NAME_SIZE 256U /* 253 characters are the longest name DNS has */

/* Outcomes beside 0 */
enum {
        HELLO_INCOMPLETE = 1, /* a good beginning: ask again with more bytes */
        HELLO_NOT_TLS,        /* the first byte is not a handshake record's */
};

typedef struct Hello {
        char server_name[HELLO_NAME_SIZE]; /* lower case; "" when there is none */
        bool encrypted; /* Encrypted Client Hello (RFC 9849): server_name is the outer, public one
                         */
} Hello;

/* `size` bytes from the first of the connection on. 0 and *ret_hello, an outcome, or -1 with
 * ERROR_PEER when it is malformed or longer than HELLO_SIZE_MAX. */
int hello_parse(const uint8_t *data, size_t size, Hello *ret_hello, Error *error);
