/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Load for proxies: a server, and clients that open tunnels or move bytes through one. Closes with
 * a reset, so that no round leaves ports in TIME_WAIT for the next.
 *
 *   load server PORT                                     first byte 'e': echoes one byte; 'f':
 * sends zeros until it is closed load tunnels CLIENTS SECONDS HOST PORT [TARGET]      prints
 * tunnels a second; with TARGET by CONNECT load bytes MEBIBYTES HOST PORT [TARGET] prints MiB a
 * second
 */
#include "base/number.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 256
#define EVENTS_MAX 64
#define BLOCK (1U << 20)

typedef enum Stage { STAGE_CONNECTING, STAGE_ASKED, STAGE_SENT } Stage;

typedef struct Client {
        int fd;
        Stage stage;
} Client;

typedef struct Load {
        struct sockaddr_in to;
        char request[256]; /* "" = no proxy */
        int poll_fd;
        uint64_t done;
} Load;

static uint64_t number(const char *text) {
        uint64_t value;

        if (!number_parse(text, strlen(text), UINT32_MAX, &value))
                errx(2, "'%s' is not a number", text);
        return value;
}

static double now(void) {
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void reset(int fd) {
        const struct linger at_once = { .l_onoff = 1 };

        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        (void)close(fd);
}

/* ---- the server ---- */

static void flood(int fd) {
        static const char zeros[BLOCK];

        while (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
                continue;
        _exit(0);
}

static void serve_client(int poll_fd, int fd) {
        char byte;
        ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n == 1 && byte == 'f' && fork() == 0)
                flood(fd);
        if (n == 1 && byte == 'e') {
                (void)send(fd, &byte, 1, MSG_NOSIGNAL);
                return;
        }
        (void)epoll_ctl(poll_fd, EPOLL_CTL_DEL, fd, NULL);
        if (n == 1)
                (void)close(fd); /* the flooding child has it */
        else
                reset(fd);
}

static void serve(uint16_t port) {
        const struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(port) };
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int poll_fd = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, events[EVENTS_MAX];

        (void)signal(SIGCHLD, SIG_IGN);
        (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
        if (bind(listener, (const struct sockaddr *)&where, sizeof(where)) < 0 ||
                listen(listener, 4096) < 0)
                err(1, "port %u", port);
        (void)epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
        (void)puts("ready");
        (void)fflush(stdout);
        for (;;) {
                int count = epoll_wait(poll_fd, events, EVENTS_MAX, -1);

                for (int i = 0; i < count; i++) {
                        int fd = events[i].data.fd;

                        if (fd != listener) {
                                serve_client(poll_fd, fd);
                                continue;
                        }
                        while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                                event.data.fd = fd;
                                (void)epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
                        }
                }
        }
}

/* ---- clients ---- */

static void begin(const Load *load, Client *client) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client };

        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        client->stage = STAGE_CONNECTING;
        (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        if (client->fd < 0 ||
                (connect(client->fd, (const struct sockaddr *)&load->to, sizeof(load->to)) < 0 &&
                        errno != EINPROGRESS))
                err(1, "connect");
        if (epoll_ctl(load->poll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
                err(1, "epoll");
}

static void advance(Load *load, Client *client, uint32_t what) {
        char answer[4096];
        ssize_t n;

        if (client->stage == STAGE_CONNECTING && (what & EPOLLOUT) != 0) {
                const bool proxied = load->request[0] != '\0';

                if (send(client->fd, proxied ? load->request : "e",
                            proxied ? strlen(load->request) : 1, MSG_NOSIGNAL) < 0)
                        err(1, "send");
                client->stage = proxied ? STAGE_ASKED : STAGE_SENT;
                return;
        }
        n = recv(client->fd, answer, sizeof(answer) - 1, 0);
        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0)
                err(1, "closed in stage %u", client->stage);
        answer[n] = '\0';
        if (client->stage == STAGE_ASKED) {
                if (strncmp(answer, "HTTP/1.", 7) != 0 || answer[9] != '2')
                        errx(1, "the proxy says %s", answer);
                (void)send(client->fd, "e", 1, MSG_NOSIGNAL);
                client->stage = STAGE_SENT;
                return;
        }
        load->done++;
        reset(client->fd);
        begin(load, client);
}

static void tunnels(Load *load, unsigned count, double seconds) {
        static Client clients[CLIENTS_MAX];
        struct epoll_event events[EVENTS_MAX];
        const double end = now() + seconds, began = now();

        if (count > CLIENTS_MAX)
                errx(2, "at most %d clients", CLIENTS_MAX);
        load->poll_fd = epoll_create1(EPOLL_CLOEXEC);
        for (unsigned i = 0; i < count; i++)
                begin(load, &clients[i]);
        while (now() < end) {
                int ready = epoll_wait(load->poll_fd, events, EVENTS_MAX, 5000);

                if (ready == 0)
                        errx(1, "nothing happens any more");
                for (int i = 0; i < ready; i++)
                        advance(load, events[i].data.ptr, events[i].events);
        }
        (void)printf("%.0f\n", (double)load->done / (now() - began));
}

static void bytes(const Load *load, uint64_t mebibytes) {
        static char block[BLOCK];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        uint64_t left = mebibytes << 20;
        double began;

        if (connect(fd, (const struct sockaddr *)&load->to, sizeof(load->to)) < 0)
                err(1, "connect");
        if (load->request[0] != '\0') {
                (void)send(fd, load->request, strlen(load->request), 0);
                if (recv(fd, block, 4096, 0) <= 0 || block[9] != '2')
                        errx(1, "the proxy says %.100s", block);
        }
        (void)send(fd, "f", 1, 0);
        began = now();
        while (left > 0) {
                ssize_t n = recv(fd, block, sizeof(block), 0);

                if (n <= 0)
                        err(1, "recv");
                left -= (uint64_t)n < left ? (uint64_t)n : left;
        }
        (void)printf("%.0f\n", (double)mebibytes / (now() - began));
        reset(fd);
}

static Load load_from(char **arguments) {
        Load load = { .to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)number(arguments[1])) } };

        if (inet_pton(AF_INET, arguments[0], &load.to.sin_addr) != 1)
                errx(2, "'%s' is no IPv4 address", arguments[0]);
        if (arguments[2] != NULL)
                (void)snprintf(load.request, sizeof(load.request),
                        "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", arguments[2], arguments[2]);
        return load;
}

int main(int argc, char **argv) {
        Load load;

        if (argc == 3 && strcmp(argv[1], "server") == 0)
                serve((uint16_t)number(argv[2]));
        if (argc >= 6 && strcmp(argv[1], "tunnels") == 0) {
                load = load_from(argv + 4);
                tunnels(&load, (unsigned)number(argv[2]), (double)number(argv[3]));
                return 0;
        }
        if (argc >= 5 && strcmp(argv[1], "bytes") == 0) {
                load = load_from(argv + 3);
                bytes(&load, number(argv[2]));
                return 0;
        }
        errx(2, "load server|tunnels|bytes ...");
}
