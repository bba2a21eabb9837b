/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/packets.h"

#include "base/fd.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PACKETS_A_TURN 64
#define SEEN_SIZE 128U /* an IPv6 header and the ports behind it */

#define IPV4_HEADER_MIN 20U
#define IPV6_HEADER_SIZE 40U

struct Packets {
        int fd;
        struct event *event;
        PacketsSeen *seen;
        void *context;
};

/* The instructions name where they jump to; the kernel counts from the one behind. */
#define LOAD(size, at) BPF_STMT(BPF_LD | (size) | BPF_ABS, (unsigned)(at))
#define LOAD_BEHIND(size, at) BPF_STMT(BPF_LD | (size) | BPF_IND, (unsigned)(at))
#define IF(here, value, yes, no)                                                                   \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes) - (here)-1, (no) - (here)-1)
#define GO(here, there) BPF_STMT(BPF_JMP | BPF_JA, (there) - (here)-1)

enum {
        FILTER_IPV4 = 5,
        FILTER_IPV6 = 19,
        FILTER_PORT = 32,
        FILTER_FLAGS = 33,
        FILTER_PASS = 35,
        FILTER_DROP = 36
};

/* Offsets count from the IP header, because the socket is SOCK_DGRAM. On loopback a packet passes
 * twice; the way out is left out. So are the ICMP messages that the kernel itself sends: replies to
 * an echo, and "unreachable" to a name server whose client did not wait for the answer. */
static const struct sock_filter filter[] = {
        [0] = LOAD(BPF_W, SKF_AD_OFF + SKF_AD_PKTTYPE),
        [1] = IF(1, PACKET_HOST, 2, FILTER_DROP),
        [2] = LOAD(BPF_H, SKF_AD_OFF + SKF_AD_PROTOCOL),
        [3] = IF(3, ETH_P_IP, FILTER_IPV4, 4),
        [4] = IF(4, ETH_P_IPV6, FILTER_IPV6, FILTER_DROP),

        [FILTER_IPV4] = LOAD(BPF_B, 16), /* first byte of the destination */
        [6] = IF(6, 127, FILTER_DROP, 7),
        [7] = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* size of the header */
        [8] = LOAD(BPF_B, 9),                         /* protocol */
        [9] = IF(9, IPPROTO_TCP, 10, 12),
        [10] = LOAD_BEHIND(BPF_B, 13),
        [11] = GO(11, FILTER_FLAGS),
        [12] = IF(12, IPPROTO_UDP, 13, 15),
        [13] = LOAD_BEHIND(BPF_H, 2), /* destination port */
        [14] = GO(14, FILTER_PORT),
        [15] = IF(15, IPPROTO_ICMP, 16, FILTER_PASS),
        [16] = LOAD_BEHIND(BPF_B, 0), /* type */
        [17] = IF(17, ICMP_ECHOREPLY, FILTER_DROP, 18),
        [18] = IF(18, ICMP_DEST_UNREACH, FILTER_DROP, FILTER_PASS),

        [FILTER_IPV6] = LOAD(BPF_B, 24), /* 0xff: multicast, neighbour discovery and the like */
        [20] = IF(20, 0xff, FILTER_DROP, 21),
        [21] = LOAD(BPF_B, 6), /* next header */
        [22] = IF(22, IPPROTO_TCP, 23, 25),
        [23] = LOAD(BPF_B, IPV6_HEADER_SIZE + 13),
        [24] = GO(24, FILTER_FLAGS),
        [25] = IF(25, IPPROTO_UDP, 26, 28),
        [26] = LOAD(BPF_H, IPV6_HEADER_SIZE + 2),
        [27] = GO(27, FILTER_PORT),
        [28] = IF(28, IPPROTO_ICMPV6, 29, FILTER_PASS),
        [29] = LOAD(BPF_B, IPV6_HEADER_SIZE),
        [30] = IF(30, ICMP6_ECHO_REPLY, FILTER_DROP, 31),
        [31] = IF(31, ICMP6_DST_UNREACH, FILTER_DROP, FILTER_PASS),

        [FILTER_PORT] = IF(FILTER_PORT, 53, FILTER_DROP, FILTER_PASS),
        [FILTER_FLAGS] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12), /* SYN and ACK */
        [34] = IF(34, 0x02, FILTER_PASS, FILTER_DROP),
        [FILTER_PASS] = BPF_STMT(BPF_RET | BPF_K, SEEN_SIZE),
        [FILTER_DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
};

/* ---- reading ---- */

const char *packets_protocol_name(uint8_t protocol) {
        static const struct {
                uint8_t protocol;
                const char *name;
        } names[] = {
                { IPPROTO_TCP, "tcp" },
                { IPPROTO_UDP, "udp" },
                { IPPROTO_ICMP, "icmp" },
                { IPPROTO_ICMPV6, "icmpv6" },
                { IPPROTO_SCTP, "sctp" },
                { IPPROTO_DCCP, "dccp" },
                { IPPROTO_UDPLITE, "udplite" },
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (names[i].protocol == protocol)
                        return names[i].name;
        return "ip";
}

static bool has_ports(uint8_t protocol) {
        return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
               protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

int packet_parse(const uint8_t *data, size_t size, uint8_t *ret_protocol, Address *ret_address,
        uint16_t *ret_port) {
        size_t header;

        if (size >= IPV4_HEADER_MIN && data[0] >> 4 == 4) {
                header = (size_t)(data[0] & 0x0fU) * 4;
                *ret_protocol = data[9];
                *ret_address = address_from_bytes(data + 16, 4);
        } else if (size >= IPV6_HEADER_SIZE && data[0] >> 4 == 6) {
                header = IPV6_HEADER_SIZE;
                *ret_protocol = data[6];
                *ret_address = address_from_bytes(data + 24, 16);
        } else {
                return -1;
        }
        *ret_port = 0;
        if (has_ports(*ret_protocol) && header >= IPV4_HEADER_MIN && size >= header + 4)
                *ret_port = (uint16_t)(data[header + 2] << 8 | data[header + 3]);
        return 0;
}

static void on_packet(evutil_socket_t fd, short what, void *context) {
        Packets *packets = context;
        uint8_t data[SEEN_SIZE], protocol;
        Address address;
        uint16_t port;

        for (int i = 0; i < PACKETS_A_TURN; i++) {
                ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);

                if (n < 0 && errno != EINTR)
                        return;
                if (n > (ssize_t)sizeof(data))
                        n = sizeof(data);
                if (n <= 0 || packet_parse(data, (size_t)n, &protocol, &address, &port) < 0)
                        continue;
                if (address_class(&address) != ADDRESS_LOOPBACK)
                        packets->seen(packets->context, protocol, &address, port);
        }
}

/* ---- life ---- */

int packets_new(struct event_base *loop, int fd, PacketsSeen *seen, void *context,
        Packets **ret_packets, Error *error) {
        const struct sock_fprog program = {
                .len = sizeof(filter) / sizeof(filter[0]),
                .filter = (struct sock_filter *)(uintptr_t)filter,
        };
        cleanup(packets_freep) Packets *packets = calloc(1, sizeof(*packets));

        if (packets == NULL) {
                (void)fd_close(fd);
                return error_set(error, ERROR_OS, ENOMEM, "cannot watch for packets");
        }
        packets->fd = fd;
        packets->seen = seen;
        packets->context = context;
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return error_set(error, ERROR_OS, errno, "cannot filter the packet socket");
        packets->event = event_new(loop, fd, EV_READ | EV_PERSIST, on_packet, packets);
        if (packets->event == NULL || event_add(packets->event, NULL) < 0)
                return error_set(error, ERROR_OS, ENOMEM, "cannot watch for packets");
        *ret_packets = take_ptr(packets);
        return 0;
}

Packets *packets_free(Packets *packets) {
        if (packets == NULL)
                return NULL;
        if (packets->event != NULL)
                event_free(packets->event);
        (void)fd_close(packets->fd);
        free(packets);
        return NULL;
}
