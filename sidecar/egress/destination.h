/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Destination: where a program of the sandbox wants to go, in the one spelling (policy/pattern.h)
 * under which it is decided, resolved, compared with a TLS server name and audited. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/address.h"
#include "policy/pattern.h"

#define DESTINATION_TEXT_SIZE (HOST_SIZE + 8U) /* "[host]:65535" */

typedef struct Destination {
        char host[HOST_SIZE]; /* a lower-case name without a trailing dot, or an address as
                                 address_format() writes it */
        uint16_t port;
        bool literal; /* host is an address, and this is it: */
        Address address;
} Destination;

/* "host:port", where host is a name, an IPv4 address, or an IPv6 address in brackets. A missing
 * port is default_port, or refused when that is 0. 0, or -1 with a sentence for who asked. */
int destination_parse(const char *text, size_t size, uint16_t default_port,
        Destination *ret_destination, Error *error);

/* Where a connection without a name was made to. */
void destination_from_address(const Address *address, uint16_t port, Destination *ret_destination);

bool destination_equal(const Destination *one, const Destination *other);

/* "host:port" as an HTTP head has it: IPv6 in brackets, the port left out when it is default_port.
 */
void destination_format(const Destination *destination, uint16_t default_port,
        char ret_text[static DESTINATION_TEXT_SIZE]);
