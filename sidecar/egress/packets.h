/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Packets: sees what a session sends to where nobody listens, for the audit alone. Nothing leaves
 * that namespace whether we look or not.
 *
 * The socket is a packet socket of the sandbox's loopback, made by the launcher. A filter in the
 * kernel passes first packets only: a TCP segment that opens a connection, and every datagram of
 * another protocol; names and what a session says to its own 127.0.0.0/8 and ::1 are left out.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "policy/address.h"

struct event_base;
typedef struct Packets Packets;

/* protocol as in an IP header; port 0 where there is none. */
typedef void PacketsSeen(void *context, uint8_t protocol, const Address *address, uint16_t port);

/* fd becomes the packets'. */
int packets_new(struct event_base *loop, int fd, PacketsSeen *seen, void *context,
        Packets **ret_packets, Error *error);
Packets *packets_free(Packets *packets);
DEFINE_CLEANUP(Packets *, packets_free);

/* "udp", "icmp", ...; "ip" for what has no name here. */
const char *packets_protocol_name(uint8_t protocol);

/* Pure: reads the destination from the head of an IP packet. 0, or -1 when it is none. */
int packet_parse(const uint8_t *data, size_t size, uint8_t *ret_protocol, Address *ret_address,
        uint16_t *ret_port);
