/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/destination.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

/* How much of a host that cannot be one is repeated to who wrote it. */
#define QUOTED_MAX 128

static int refuse(Error *error, const char *text, size_t size, const char *why) {
        return error_set(error, ERROR_INPUT, 0, "'%.*s' %s",
                size < QUOTED_MAX ? (int)size : QUOTED_MAX, text, why);
}

void destination_from_address(const Address *address, uint16_t port, Destination *ret_destination) {
        *ret_destination = (Destination){ .port = port, .literal = true, .address = *address };
        address_format(address, ret_destination->host);
}

bool destination_equal(const Destination *one, const Destination *other) {
        return one->port == other->port && strcmp(one->host, other->host) == 0;
}

static int parse_host(const char *text, size_t size, Destination *destination, Error *error) {
        char copy[HOST_SIZE + 2]; /* a trailing dot may come on top */
        HostForm form;

        if (size == 0)
                return error_set(error, ERROR_INPUT, 0, "the host is missing");
        if (size >= sizeof(copy) || memchr(text, '\0', size) != NULL)
                return refuse(error, text, size, "has more than 253 characters, or a NUL");
        memcpy(copy, text, size);
        copy[size] = '\0';

        form = host_parse(copy, destination->host);
        if (form == HOST_NUMBERS)
                return refuse(error, text, size,
                        "looks like a number that some programs read as an address; write a.b.c.d");
        if (form != HOST_NAME && form != HOST_ADDRESS)
                return refuse(error, text, size, "is neither a host name nor an address");
        destination->literal =
                form == HOST_ADDRESS && address_parse(destination->host, &destination->address);
        if (text[0] != '[' && destination->literal && destination->address.family == 6)
                return refuse(error, text, size, "is an IPv6 address and stands in brackets");
        return 0;
}

int destination_parse(const char *text, size_t size, uint16_t default_port,
        Destination *ret_destination, Error *error) {
        const char *bracket = size > 0 && text[0] == '[' ? memchr(text, ']', size) : NULL;
        const char *after = bracket != NULL ? bracket : text;
        const char *colon = memchr(after, ':', size - (size_t)(after - text));
        const size_t host_size = colon != NULL ? (size_t)(colon - text) : size;
        Destination destination = { 0 };
        uint64_t port = default_port;

        if (colon != NULL && !number_parse(colon + 1, size - host_size - 1, UINT16_MAX, &port))
                return refuse(error, text, size, "does not end in ':' and a port");
        if (port == 0)
                return refuse(error, text, size, "has no port that can be connected to");
        destination.port = (uint16_t)port;
        if (parse_host(text, host_size, &destination, error) < 0)
                return -1;
        *ret_destination = destination;
        return 0;
}

void destination_format(const Destination *destination, uint16_t default_port,
        char ret_text[static DESTINATION_TEXT_SIZE]) {
        const bool bracketed = destination->literal && destination->address.family == 6;
        const int size =
                snprintf(ret_text, HOST_SIZE + 2, bracketed ? "[%s]" : "%s", destination->host);

        if (destination->port != default_port)
                (void)snprintf(ret_text + size, DESTINATION_TEXT_SIZE - (size_t)size, ":%u",
                        destination->port);
}
