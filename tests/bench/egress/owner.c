/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How long the launcher takes to say who has a connection, in a pod with many processes and
 * sockets. Prints microseconds, the median and the 99th percentile.
 *
 * As in life: a pid namespace of the pod's own; below a session's keeper a shell, below that the
 * programs, each of another executable. A crowd of 1000 processes has a socket each. Programs have
 * up to a dozen files open before they connect, so that no descriptor number is the right guess for
 * all.
 *
 *   bench-egress-owner [LIMIT]      ends with 1 when a median is above LIMIT microseconds
 */
#include "sidecar/launcher/owner.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "base/syscalls.h"
#include "sidecar/launcher/netlink.h"

#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CROWD 1000
#define ROUNDS 500
#define FILES_MAX 12 /* that a program has open before it connects */
#define ORDERS_FD 3  /* where the shell hears what to do */

enum { ORDER_RUN = 'r', ORDER_CONNECT = 'c' };

typedef struct Bench {
        OwnerFinder finder;
        Targets targets;
        Session keeper, *sessions;
        struct sockaddr_in server;
        int listener;
        int orders; /* to the shell */
        int connection;
        OwnerText text;
        WireOwner owner;
} Bench;

static double microseconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- the programs: this file again, under other names ---- */

static int connect_to(uint16_t port) {
        const struct sockaddr_in server = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const pid_t self = getpid();
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (const struct sockaddr *)&server, sizeof(server)) < 0 ||
                write(fd, &self, sizeof(self)) != sizeof(self))
                err(1, "connect");
        return fd;
}

static uint16_t number(const char *text) {
        uint64_t value;

        if (!number_parse(text, strlen(text), UINT16_MAX, &value))
                errx(2, "'%s' is not a number", text);
        return (uint16_t)value;
}

/* program PORT FILES: connects, anew whenever it is told to on its standard input. */
static int program(char **argv) {
        char byte;
        int fd;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = number(argv[2]); i > 0; i--)
                (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
        do {
                fd = connect_to(number(argv[1]));
                if (read(STDIN_FILENO, &byte, 1) != 1)
                        return 0;
                (void)close(fd);
        } while (byte == ORDER_CONNECT);
        return 0;
}

/* shell PORT: runs a program for each order, and ends it before the next. Its own standard input is
 * the programs'. */
static int shell(char **argv) {
        char files[8], order;
        pid_t pid = 0;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)fcntl(ORDERS_FD, F_SETFD, FD_CLOEXEC);
        for (unsigned i = 0; read(ORDERS_FD, &order, 1) == 1; i++) {
                if (pid > 0) {
                        (void)kill(pid, SIGKILL);
                        (void)waitpid(pid, NULL, 0);
                }
                (void)snprintf(files, sizeof(files), "%u", i % FILES_MAX);
                pid = fork();
                if (pid == 0) {
                        (void)execl("program", "program", argv[1], files, (char *)NULL);
                        err(127, "program");
                }
        }
        return 0;
}

/* ---- looking them up ---- */

static void listen_somewhere(Bench *bench) {
        socklen_t size = sizeof(bench->server);

        bench->server = (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        bench->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(bench->listener, (struct sockaddr *)&bench->server, size) < 0 ||
                listen(bench->listener, 4096) < 0 ||
                getsockname(bench->listener, (struct sockaddr *)&bench->server, &size) < 0)
                err(1, "listen");
}

/* Accepts what was connected and says who asked; the time in microseconds. */
static double find(Bench *bench, uint32_t programs) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        WireOwnerAsk ask = { .network = WIRE_NETWORK_POD };
        double began;
        pid_t pid = 0;

        (void)close(bench->connection);
        bench->connection =
                accept4(bench->listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        ask.local = (WireSocket){ .family = 4, .port = ntohs(peer.sin_port) };
        memcpy(ask.local.bytes, &peer.sin_addr, 4);
        ask.remote = (WireSocket){ .family = 4, .port = ntohs(bench->server.sin_port) };
        memcpy(ask.remote.bytes, &bench->server.sin_addr, 4);
        began = microseconds();
        owner_find(&bench->finder, &ask, &bench->text, &bench->owner);
        began = microseconds() - began;
        if (read(bench->connection, &pid, sizeof(pid)) != sizeof(pid))
                err(1, "read");
        if (bench->owner.ownership != WIRE_OWNER_FOUND ||
                bench->owner.programs[0].pid != (uint32_t)pid ||
                bench->owner.program_count != programs)
                errx(1, "the owner is %d with %u programs, not %d with %u",
                        (int)bench->owner.programs[0].pid, bench->owner.program_count, (int)pid,
                        programs);
        return began;
}

static void tell(int fd, char order) {
        if (write(fd, &order, 1) != 1)
                err(1, "pipe");
}

static int compare(const void *one, const void *other) {
        const double *a = one, *b = other;

        return (*a > *b) - (*a < *b);
}

static double print(const char *what, double *times, size_t count) {
        qsort(times, count, sizeof(*times), compare);
        (void)printf("%-44s %8.1f %8.1f\n", what, times[count / 2], times[count * 99 / 100]);
        return times[count / 2];
}

/* ---- the pod ---- */

static void copy_self(const char *name) {
        cleanup_fd int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        cleanup_fd int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        char block[65536];
        ssize_t n;

        while ((n = read(from, block, sizeof(block))) > 0)
                if (write(to, block, (size_t)n) != n)
                        err(1, "%s", name);
}

/* Standard input and one more descriptor, and nothing else. */
static void become(const char *name, int input, int orders, const char *port, const char *files) {
        (void)dup2(input, STDIN_FILENO);
        if (orders >= 0)
                (void)dup2(orders, ORDERS_FD);
        (void)sys_close_range(orders >= 0 ? ORDERS_FD + 1 : ORDERS_FD, ~0U, 0);
        (void)execl(name, name, port, files, (char *)NULL);
        err(127, "%s", name);
}

/* The keeper, which has nothing to do but be there, and its shell. */
static pid_t start_session(const Bench *bench, int input, int orders, const char *port) {
        pid_t pid = fork();

        if (pid != 0)
                return pid;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fork() == 0)
                become("shell", input, orders, port, NULL);
        (void)pause();
        _exit(0);
}

static void start_crowd(Bench *bench, int input, const char *port) {
        for (int i = 0; i < CROWD; i++) {
                if (fork() == 0)
                        become("program", input, -1, port, "2");
                (void)close(accept4(bench->listener, NULL, NULL, SOCK_CLOEXEC));
        }
}

static void prepare(Bench *bench) {
        Error error;

        bench->sessions = &bench->keeper;
        bench->connection = -1;
        bench->finder = (OwnerFinder){
                .proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                .targets = &bench->targets,
                .sessions = &bench->sessions,
        };
        if (netlink_open_diagnosis(&bench->finder.diagnosis[WIRE_NETWORK_POD], &error) < 0 ||
                owner_prepare(&bench->finder, &error) < 0)
                errx(1, "%s", error.text);
}

static double measure(void) {
        static Bench bench;
        double times[ROUNDS], worst;
        int input[2], orders[2], idle[2];
        char port[8];

        prepare(&bench);
        listen_somewhere(&bench);
        (void)snprintf(port, sizeof(port), "%u", ntohs(bench.server.sin_port));
        if (pipe2(input, O_CLOEXEC) < 0 || pipe2(orders, O_CLOEXEC) < 0 ||
                pipe2(idle, O_CLOEXEC) < 0)
                err(1, "pipe");
        bench.keeper.keeper.pid = start_session(&bench, input[0], orders[0], port);
        tell(orders[1], ORDER_RUN);
        (void)find(&bench, 2);
        start_crowd(&bench, idle[0], port);
        (void)printf("%-44s %8s %8s\n", "microseconds", "median", "99 %");

        known_done(&bench.finder.known);
        tell(input[1], ORDER_CONNECT);
        times[0] = find(&bench, 2);
        (void)print("one that slept before 1000 others came", times, 1);
        for (size_t i = 0; i < ROUNDS; i++) {
                tell(input[1], ORDER_CONNECT);
                times[i] = find(&bench, 2);
        }
        worst = print("a program that makes many connections", times, ROUNDS);
        for (size_t i = 0; i < ROUNDS; i++) {
                tell(orders[1], ORDER_RUN);
                times[i] = find(&bench, 2);
        }
        times[0] = print("a program that was just started", times, ROUNDS);
        return worst > times[0] ? worst : times[0];
}

/* The first process of the pod: everything ends with it. */
static int pod(double limit) {
        pid_t pid = fork();
        int status = 1;

        if (pid == 0) {
                if (mount("proc", "/proc", "proc", 0, NULL) < 0)
                        err(1, "/proc");
                exit(measure() > limit ? 1 : 0);
        }
        (void)waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv) {
        char folder[] = "/tmp/navigator-owner-XXXXXX";
        int status = 1;
        pid_t pid;

        if (strcmp(argv[0], "program") == 0)
                return program(argv);
        if (strcmp(argv[0], "shell") == 0)
                return shell(argv);
        if (mkdtemp(folder) == NULL || chdir(folder) < 0)
                err(1, "%s", folder);
        copy_self("program");
        copy_self("shell");
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0 ||
                mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                err(1, "namespaces");
        pid = fork();
        if (pid == 0)
                exit(pod(argc > 1 ? number(argv[1]) : UINT16_MAX));
        (void)waitpid(pid, &status, 0);
        (void)unlink("program");
        (void)unlink("shell");
        (void)rmdir(folder);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
