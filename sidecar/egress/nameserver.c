/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An answer over UDP has to come from the address that was asked, or a resolver drops it:
 * IP_PKTINFO tells which of "every address" that was, and the same record sends the answer from
 * there.
 */
#include "sidecar/egress/nameserver.h"

#include "base/fd.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define UDP_SOCKETS_MAX 2U
#define QUERIES_A_TURN 64
#define LENGTH_SIZE 2U /* RFC 1035 4.2.2 */
#define IDLE_SECONDS 10
#define BACKLOG_MAX 65536U /* bytes of answers that a client does not read */

typedef struct Client {
        Nameserver *nameserver;
        struct bufferevent *stream; /* NULL = free */
} Client;

typedef struct UdpSocket {
        Nameserver *nameserver;
        int fd;
        struct event *event;
} UdpSocket;

struct Nameserver {
        struct event_base *loop; /* borrowed */
        NameserverHandler handler;
        UdpSocket udp[UDP_SOCKETS_MAX];
        unsigned udp_count;
        Client clients[NAMESERVER_CLIENTS_MAX];
        uint8_t query[NAMES_QUERY_MAX + 1]; /* one more, to see that it is too long */
        uint8_t answer[NAMES_ANSWER_MAX];
};

/* ---- UDP ---- */

/* The packet information that came with the query, made into the one to answer with: from that
 * address, by whatever interface. */
static void turn_around(struct msghdr *message) {
        for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL;
                item = CMSG_NXTHDR(message, item)) {
                if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
                        struct in_pktinfo info;

                        memcpy(&info, CMSG_DATA(item), sizeof(info));
                        info.ipi_ifindex = 0;
                        info.ipi_spec_dst = info.ipi_addr;
                        memcpy(CMSG_DATA(item), &info, sizeof(info));
                }
                if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
                        struct in6_pktinfo info;

                        memcpy(&info, CMSG_DATA(item), sizeof(info));
                        info.ipi6_ifindex = 0;
                        memcpy(CMSG_DATA(item), &info, sizeof(info));
                }
        }
}

/* False when nothing is there any more. */
static bool answer_one(UdpSocket *udp) {
        Nameserver *nameserver = udp->nameserver;
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                           CMSG_SPACE(sizeof(struct in_pktinfo))];
        } control;
        struct sockaddr_storage peer;
        struct iovec bytes = { .iov_base = nameserver->query,
                .iov_len = sizeof(nameserver->query) };
        struct msghdr message = {
                .msg_name = &peer,
                .msg_namelen = sizeof(peer),
                .msg_iov = &bytes,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        ssize_t n = recvmsg(udp->fd, &message, MSG_DONTWAIT);

        if (n < 0)
                return errno == EINTR;
        bytes.iov_base = nameserver->answer;
        bytes.iov_len = nameserver->handler.answer(
                nameserver->handler.context, nameserver->query, (size_t)n, nameserver->answer);
        turn_around(&message);
        if (bytes.iov_len > 0)
                (void)sendmsg(udp->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        return true;
}

static void on_query(evutil_socket_t fd, short what, void *context) {
        for (int i = 0; i < QUERIES_A_TURN; i++)
                if (!answer_one(context))
                        return;
}

int nameserver_add_udp(Nameserver *nameserver, int fd) {
        UdpSocket *udp = &nameserver->udp[nameserver->udp_count];
        const int on = 1;

        if (nameserver->udp_count == UDP_SOCKETS_MAX) {
                (void)fd_close(fd);
                return -1;
        }
        /* Each family knows its own option and refuses the other. */
        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
        udp->nameserver = nameserver;
        udp->event = event_new(nameserver->loop, fd, EV_READ | EV_PERSIST, on_query, udp);
        if (udp->event == NULL || event_add(udp->event, NULL) < 0) {
                if (udp->event != NULL)
                        event_free(udp->event);
                (void)fd_close(fd);
                return -1;
        }
        udp->fd = fd;
        nameserver->udp_count++;
        return 0;
}

/* ---- TCP ---- */

static void client_close(Client *client) {
        bufferevent_free(client->stream); /* and its socket */
        client->stream = NULL;
}

static void on_client_event(struct bufferevent *stream, short what, void *context) {
        client_close(context);
}

static void on_client_readable(struct bufferevent *stream, void *context) {
        Client *client = context;
        Nameserver *nameserver = client->nameserver;
        struct evbuffer *in = bufferevent_get_input(stream), *out = bufferevent_get_output(stream);
        uint8_t length[LENGTH_SIZE];

        while (evbuffer_copyout(in, length, sizeof(length)) == (ev_ssize_t)sizeof(length)) {
                const size_t size = (size_t)length[0] << 8 | length[1];
                size_t answer;

                if (size > NAMES_QUERY_MAX || evbuffer_get_length(out) > BACKLOG_MAX) {
                        client_close(client);
                        return;
                }
                if (evbuffer_get_length(in) < sizeof(length) + size)
                        return;
                (void)evbuffer_drain(in, sizeof(length));
                (void)evbuffer_remove(in, nameserver->query, size);
                answer = nameserver->handler.answer(
                        nameserver->handler.context, nameserver->query, size, nameserver->answer);
                if (answer == 0)
                        continue;
                length[0] = (uint8_t)(answer >> 8);
                length[1] = (uint8_t)answer;
                (void)evbuffer_add(out, length, sizeof(length));
                (void)evbuffer_add(out, nameserver->answer, answer);
        }
}

void nameserver_accept(Nameserver *nameserver, int fd) {
        const struct timeval idle = { .tv_sec = IDLE_SECONDS };
        Client *client = NULL;

        for (size_t i = 0; i < NAMESERVER_CLIENTS_MAX && client == NULL; i++)
                if (nameserver->clients[i].stream == NULL)
                        client = &nameserver->clients[i];
        if (client != NULL) {
                client->nameserver = nameserver;
                client->stream =
                        bufferevent_socket_new(nameserver->loop, fd, BEV_OPT_CLOSE_ON_FREE);
        }
        if (client == NULL || client->stream == NULL) {
                (void)fd_close(fd);
                return;
        }
        bufferevent_setwatermark(client->stream, EV_READ, 0, LENGTH_SIZE + NAMES_QUERY_MAX);
        bufferevent_setcb(client->stream, on_client_readable, NULL, on_client_event, client);
        bufferevent_set_timeouts(client->stream, &idle, &idle);
        if (bufferevent_enable(client->stream, EV_READ | EV_WRITE) < 0)
                client_close(client);
}

/* ---- life ---- */

Nameserver *nameserver_new(struct event_base *loop, const NameserverHandler *handler) {
        Nameserver *nameserver = calloc(1, sizeof(*nameserver));

        if (nameserver == NULL)
                return NULL;
        nameserver->loop = loop;
        nameserver->handler = *handler;
        return nameserver;
}

Nameserver *nameserver_free(Nameserver *nameserver) {
        if (nameserver == NULL)
                return NULL;
        for (unsigned i = 0; i < nameserver->udp_count; i++) {
                event_free(nameserver->udp[i].event);
                (void)fd_close(nameserver->udp[i].fd);
        }
        for (size_t i = 0; i < NAMESERVER_CLIENTS_MAX; i++)
                if (nameserver->clients[i].stream != NULL)
                        client_close(&nameserver->clients[i]);
        free(nameserver);
        return NULL;
}
