/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/doors.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "sidecar/launcher/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 1024

typedef enum Place { PLACE_SANDBOX, PLACE_POD } Place;

typedef struct FixedPlan {
        const char *name;
        Place place;
        int domain, type;
        bool loopback; /* else every address */
        uint16_t port;
} FixedPlan;

static const FixedPlan plans[] = {
        { WIRE_LISTENER_PROXY, PLACE_SANDBOX, AF_INET, SOCK_STREAM, true, DOORS_PROXY_PORT },
        { WIRE_LISTENER_POD_PROXY, PLACE_POD, AF_INET, SOCK_STREAM, true, DOORS_PROXY_PORT },
        { WIRE_LISTENER_NAMES_TCP4, PLACE_SANDBOX, AF_INET, SOCK_STREAM, false, DOORS_NAMES_PORT },
        { WIRE_LISTENER_NAMES_TCP6, PLACE_SANDBOX, AF_INET6, SOCK_STREAM, false, DOORS_NAMES_PORT },
        { WIRE_SOCKET_NAMES_UDP4, PLACE_SANDBOX, AF_INET, SOCK_DGRAM, false, DOORS_NAMES_PORT },
        { WIRE_SOCKET_NAMES_UDP6, PLACE_SANDBOX, AF_INET6, SOCK_DGRAM, false, DOORS_NAMES_PORT },
};

/* ---- sockets ---- */

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78 /* linux/in6.h, which does not go with netinet/in.h */
#endif

static int bind_to(int fd, const WireSocket *where) {
        struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(where->port) };
        struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(where->port) };
        const int on = 1;

        if (where->family == 4) {
                memcpy(&ipv4.sin_addr, where->bytes, sizeof(ipv4.sin_addr));
                return bind(fd, (const struct sockaddr *)&ipv4, sizeof(ipv4)) < 0 ? -errno : 0;
        }
        /* Else it would take the IPv4 port too; and IPv6, unlike IPv4, does not take an address
         * that only a route makes local for one of its own. */
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0 ||
                setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) < 0)
                return -errno;
        memcpy(&ipv6.sin6_addr, where->bytes, sizeof(ipv6.sin6_addr));
        return bind(fd, (const struct sockaddr *)&ipv6, sizeof(ipv6)) < 0 ? -errno : 0;
}

/* SO_REUSEADDR: connections of an egress that has ended may still be in TIME_WAIT there. */
static int settle(int fd, int type, const WireSocket *where) {
        const int on = 1;
        int r;

        if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
                return -errno;
        r = bind_to(fd, where);
        if (r == 0 && type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
                r = -errno;
        return r;
}

static int open_socket(const Doors *doors, Place place, int domain, int type,
        const WireSocket *where, int *ret_fd) {
        cleanup_fd int fd = -1;
        Error error;
        int r;

        if (place == PLACE_POD)
                fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        else if (network_socket(doors->proc_fd, doors->network_fd, domain, type | SOCK_NONBLOCK, 0,
                         &fd, &error) < 0)
                return -error.code;
        if (fd < 0)
                return -errno;
        r = settle(fd, type, where);
        if (r == 0)
                *ret_fd = take_fd(fd);
        return r;
}

/* ---- what is there from the start ---- */

static void add_fixed(Doors *doors, const char *name, int fd) {
        doors->fixed[doors->fixed_count++] = (FixedDoor){ .name = name, .fd = fd };
}

static WireSocket planned_place(const FixedPlan *plan) {
        static const uint8_t loopback[4] = { 127, 0, 0, 1 };
        WireSocket where = { .family = plan->domain == AF_INET ? 4 : 6, .port = plan->port };

        if (plan->loopback)
                memcpy(where.bytes, loopback, sizeof(loopback));
        return where;
}

static int open_packets(Doors *doors, Error *error) {
        int fd;

        if (network_socket(doors->proc_fd, doors->network_fd, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK,
                    htons(ETH_P_ALL), &fd, error) < 0)
                return error_context(error, "watching for direct attempts");
        add_fixed(doors, WIRE_SOCKET_PACKETS, fd);
        return 0;
}

int doors_open(Doors *doors, int proc_fd, int network_fd, Error *error) {
        doors->proc_fd = proc_fd;
        doors->network_fd = network_fd;
        for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
                const WireSocket where = planned_place(&plans[i]);
                int fd = -1;
                int r = open_socket(
                        doors, plans[i].place, plans[i].domain, plans[i].type, &where, &fd);

                if (r == 0)
                        add_fixed(doors, plans[i].name, fd);
                else if (plans[i].place == PLACE_SANDBOX)
                        return error_set(error, ERROR_OS, -r, "cannot open '%s' at port %u",
                                plans[i].name, plans[i].port);
                else /* the workload's own: its proxy variables then lead nowhere, which is no */
                        log_line(LOG_LEVEL_WARNING,
                                "the pod's port %u is taken (%s): the workload itself has no proxy",
                                plans[i].port, strerrordesc_np(-r));
        }
        return open_packets(doors, error);
}

/* ---- what the policy needs ---- */

static TransparentDoor *find(Doors *doors, const WireSocket *where) {
        for (uint32_t i = 0; i < doors->used; i++) {
                TransparentDoor *door = &doors->transparent[i];

                if (door->fd >= 0 && door->where.family == where->family &&
                        door->where.port == where->port &&
                        memcmp(door->where.bytes, where->bytes, sizeof(where->bytes)) == 0)
                        return door;
        }
        return NULL;
}

static TransparentDoor *find_room(Doors *doors) {
        for (uint32_t i = 0; i < doors->used; i++)
                if (doors->transparent[i].fd < 0)
                        return &doors->transparent[i];
        return doors->used < DOORS_TRANSPARENT_MAX ? &doors->transparent[doors->used] : NULL;
}

int doors_listen(Doors *doors, const WireSocket *where, int *ret_fd) {
        TransparentDoor *door = find(doors, where);
        int r, fd;

        if (door == NULL) {
                door = find_room(doors);
                if (door == NULL)
                        return -ENOSPC;
                r = open_socket(doors, PLACE_SANDBOX, where->family == 4 ? AF_INET : AF_INET6,
                        SOCK_STREAM, where, &fd);
                if (r < 0)
                        return r;
                if (door == &doors->transparent[doors->used])
                        doors->used++;
                *door = (TransparentDoor){ .where = *where, .fd = fd };
        }
        door->wanted = true;
        *ret_fd = door->fd;
        return 0;
}

void doors_close(Doors *doors, const WireSocket *where) {
        TransparentDoor *door = find(doors, where);

        if (door != NULL)
                door->fd = fd_close(door->fd);
}

void doors_forget_wants(Doors *doors) {
        for (uint32_t i = 0; i < doors->used; i++)
                doors->transparent[i].wanted = false;
}

void doors_drop_unwanted(Doors *doors) {
        for (uint32_t i = 0; i < doors->used; i++)
                if (!doors->transparent[i].wanted)
                        doors->transparent[i].fd = fd_close(doors->transparent[i].fd);
}
