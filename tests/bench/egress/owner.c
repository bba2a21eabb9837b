/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How long the launcher takes to say who has a connection, in a pod with many processes and
 * sockets. Prints microseconds, the median and the 99th percentile, for a program that makes many
 * connections, for programs that were just started, and for one that has slept for long (which
 * everybody has to be asked for).
 */
#include "sidecar/launcher/owner.h"
#include "base/cleanup.h"
#include "sidecar/launcher/netlink.h"

#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 1000
#define CONNECTIONS 500
#define STARTED 100

typedef struct Bench {
        OwnerFinder finder;
        Targets targets;
        Session *sessions;
        struct sockaddr_in server;
        OwnerText text;
        WireOwner owner;
} Bench;

static double microseconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int listen_somewhere(struct sockaddr_in *ret_server) {
        socklen_t size = sizeof(*ret_server);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *ret_server = (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        if (bind(fd, (struct sockaddr *)ret_server, sizeof(*ret_server)) < 0 ||
                listen(fd, 4096) < 0 || getsockname(fd, (struct sockaddr *)ret_server, &size) < 0)
                err(1, "listen");
        return fd;
}

static int connect_to(const Bench *bench) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (const struct sockaddr *)&bench->server, sizeof(bench->server)) < 0)
                err(1, "connect");
        return fd;
}

/* Accepts what was connected and says who asked; the time in microseconds. */
static double find(Bench *bench, int listener, pid_t expected) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        WireOwnerAsk ask = { .network = WIRE_NETWORK_POD };
        double began;

        ask.local = (WireSocket){ .family = 4, .port = ntohs(peer.sin_port) };
        memcpy(ask.local.bytes, &peer.sin_addr, 4);
        ask.remote = (WireSocket){ .family = 4, .port = ntohs(bench->server.sin_port) };
        memcpy(ask.remote.bytes, &bench->server.sin_addr, 4);
        began = microseconds();
        owner_find(&bench->finder, &ask, &bench->text, &bench->owner);
        began = microseconds() - began;
        if (bench->owner.ownership != WIRE_OWNER_FOUND ||
                bench->owner.programs[0].pid != (uint32_t)expected)
                errx(1, "the owner is not %d", expected);
        (void)close(fd);
        return began;
}

/* A process that connects when it is told, and waits. */
static pid_t start(const Bench *bench, int order) {
        pid_t pid = fork();
        char byte;

        if (pid != 0)
                return pid;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (order < 0 || read(order, &byte, 1) == 1)
                (void)connect_to(bench);
        (void)pause();
        _exit(0);
}

/* A process that makes one connection after the other, each when it is told. */
static pid_t start_busy(const Bench *bench, int order) {
        pid_t pid = fork();
        int fd = -1;
        char byte;

        if (pid != 0)
                return pid;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (read(order, &byte, 1) == 1) {
                (void)close(fd);
                fd = connect_to(bench);
        }
        _exit(0);
}

static void tell(int order) {
        if (write(order, "x", 1) != 1)
                err(1, "pipe");
}

static int compare(const void *one, const void *other) {
        const double *a = one, *b = other;

        return (*a > *b) - (*a < *b);
}

static void print(const char *what, double *times, size_t count) {
        qsort(times, count, sizeof(*times), compare);
        (void)printf("%-44s %8.1f %8.1f\n", what, times[count / 2], times[count * 99 / 100]);
}

static void end(pid_t pid) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

int main(void) {
        static Bench bench;
        static pid_t crowd[PROCESSES];
        double times[CONNECTIONS];
        int listener = listen_somewhere(&bench.server), order[2];
        Error error;
        pid_t pid;

        bench.finder = (OwnerFinder){
                .proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                .targets = &bench.targets,
                .sessions = &bench.sessions,
        };
        if (netlink_open_diagnosis(&bench.finder.diagnosis[WIRE_NETWORK_POD], &error) < 0 ||
                owner_prepare(&bench.finder, &error) < 0)
                errx(1, "%s", error.text);
        if (pipe2(order, O_CLOEXEC) < 0)
                err(1, "pipe");
        pid = start(&bench,
                order[0]); /* before the crowd: found neither as a recent nor as a new one */
        for (int i = 0; i < PROCESSES; i++) {
                crowd[i] = start(&bench, -1);
                (void)close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        }
        tell(order[1]);
        times[0] = find(&bench, listener, pid);
        (void)printf("%-44s %8s %8s\n", "microseconds", "median", "99 %");
        print("one that slept before 1000 others came", times, 1);
        end(pid);
        pid = start_busy(&bench, order[0]);
        for (size_t i = 0; i < CONNECTIONS; i++) {
                tell(order[1]);
                times[i] = find(&bench, listener, pid);
        }
        end(pid);
        print("a program that makes many connections", times, CONNECTIONS);
        for (size_t i = 0; i < STARTED; i++) {
                pid = start(&bench, -1);
                times[i] = find(&bench, listener, pid);
                end(pid);
        }
        print("a program that was just started", times, STARTED);
        for (int i = 0; i < PROCESSES; i++)
                end(crowd[i]);
        return 0;
}
