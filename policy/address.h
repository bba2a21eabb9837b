/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * IP addresses: strict text, ranges, and what kind of place an address is. Pure.
 *
 * An IPv4 address that an IPv6 one carries (v4-mapped, v4-compatible, NAT64, 6to4, Teredo) counts
 * as what it carries: address_parse() and address_from_bytes() turn mapped ones into IPv4,
 * address_class() looks inside the others.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_SIZE 46U /* INET6_ADDRSTRLEN */

typedef struct Address {
        uint8_t family;    /* 4 or 6 */
        uint8_t bytes[16]; /* network order; IPv4 uses the first four */
} Address;

typedef struct AddressRange {
        Address address; /* bits behind the prefix are 0 */
        uint8_t prefix;  /* 0..32 or 0..128 */
} AddressRange;

typedef enum AddressClass {
        ADDRESS_PUBLIC = 1,
        ADDRESS_PRIVATE, /* RFC 1918, CGNAT, ULA, TEST-NETs, benchmarking, reserved */
        /* never connected to, whatever a policy says */
        ADDRESS_UNSPECIFIED,
        ADDRESS_LOOPBACK,
        ADDRESS_LINK_LOCAL,
        ADDRESS_METADATA, /* a cloud's metadata service outside link-local */
        ADDRESS_MULTICAST,
        ADDRESS_BROADCAST,
} AddressClass;

/* "10.1.2.3", "2001:db8::1", "[2001:db8::1]"; no zone, no leading zeros, nothing that only
 * inet_aton() reads. */
bool address_parse(const char *text, Address *ret_address);
/* From a resolver or socket: 4 or 16 bytes. */
Address address_from_bytes(const void *bytes, size_t size);
void address_format(const Address *address, char ret_text[static ADDRESS_TEXT_SIZE]);
bool address_equal(const Address *a, const Address *b);

/* "10.0.0.0/8" or a single address. Bits set behind the prefix are cleared and reported. */
bool address_range_parse(const char *text, AddressRange *ret_range, bool *ret_host_bits);
void address_range_format(const AddressRange *range, char *ret_text, size_t room);
bool address_range_contains(const AddressRange *range, const Address *address);
bool address_range_covers(const AddressRange *wide, const AddressRange *narrow);
bool address_range_overlaps(const AddressRange *a, const AddressRange *b);
bool address_range_is_single(const AddressRange *range);

AddressClass address_class(const Address *address);
/* For messages: "link-local". */
const char *address_class_name(AddressClass class);
/* Classes that are refused whatever a policy says. */
bool address_class_forbidden(AddressClass class);
/* The forbidden class that makes the range unfit for an allow list; 0 when it is fit. */
AddressClass address_range_forbidden(const AddressRange *range);
