/* SPDX-License-Identifier: Apache-2.0 */

/* Who has a connection, asked about processes of this test's own and real sockets. */
#include "sidecar/launcher/owner.h"

#include "base/cleanup.h"
#include "sidecar/launcher/netlink.h"
#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLEEP "/bin/sleep"

typedef struct World {
        OwnerFinder finder;
        Targets targets;
        Session *sessions;
        struct sockaddr_in server;
        int listener, connection;
        OwnerText text;
        WireOwner owner;
} World;

static int set_up(void **state) {
        World *world = calloc(1, sizeof(*world));
        socklen_t size = sizeof(world->server);
        Error error;

        world->server = (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(world->listener, (struct sockaddr *)&world->server, size), 0);
        assert_int_equal(listen(world->listener, 16), 0);
        (void)getsockname(world->listener, (struct sockaddr *)&world->server, &size);
        world->finder = (OwnerFinder){
                .proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                .targets = &world->targets,
                .sessions = &world->sessions,
        };
        assert_int_equal(
                netlink_open_diagnosis(&world->finder.diagnosis[WIRE_NETWORK_POD], &error), 0);
        assert_int_equal(owner_prepare(&world->finder, &error), 0);
        *state = world;
        return 0;
}

static int take_down(void **state) {
        World *world = *state;

        owner_done(&world->finder);
        (void)close(world->finder.diagnosis[WIRE_NETWORK_POD]);
        (void)close(world->finder.proc_fd);
        (void)close(world->connection);
        (void)close(world->listener);
        free(world);
        return 0;
}

static int connect_to(const World *world, int flags) {
        int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

        if (connect(fd, (const struct sockaddr *)&world->server, sizeof(world->server)) < 0)
                abort();
        return fd;
}

static WireOwnership ask_about(World *world, uint16_t port) {
        WireOwnerAsk ask = { .network = WIRE_NETWORK_POD };
        const uint8_t loopback[4] = { 127, 0, 0, 1 };

        ask.local = (WireSocket){ .family = 4, .port = port };
        ask.remote = (WireSocket){ .family = 4, .port = ntohs(world->server.sin_port) };
        memcpy(ask.local.bytes, loopback, sizeof(loopback));
        memcpy(ask.remote.bytes, loopback, sizeof(loopback));
        owner_find(&world->finder, &ask, &world->text, &world->owner);
        return world->owner.ownership;
}

/* Of the connection that is accepted now. */
static WireOwnership ask(World *world) {
        struct sockaddr_in peer = { 0 };
        socklen_t size = sizeof(peer);

        world->connection =
                accept4(world->listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        return ask_about(world, ntohs(peer.sin_port));
}

static WireOwnership ask_again(World *world) {
        struct sockaddr_in peer = { 0 };
        socklen_t size = sizeof(peer);

        (void)getpeername(world->connection, (struct sockaddr *)&peer, &size);
        return ask_about(world, ntohs(peer.sin_port));
}

static pid_t child(void) {
        pid_t pid = fork();

        if (pid == 0)
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        return pid;
}

static void become_sleep(void) __attribute__((__noreturn__));
static void become_sleep(void) {
        (void)execl(SLEEP, "sleep", "60", (char *)NULL);
        _exit(127);
}

static void end(pid_t pid) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

/* Until the process executes something else than this test. */
static void wait_for_program(pid_t pid, const char *name) {
        char path[64], text[256] = "";

        (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        for (int i = 0; i < 500 && strncmp(text, name, strlen(name)) != 0; i++) {
                int fd = open(path, O_RDONLY | O_CLOEXEC);

                (void)usleep(2000);
                if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
                        text[0] = '\0';
                (void)close(fd);
        }
        assert_memory_equal(text, name, strlen(name));
}

static void a_program_and_its_ancestors(void **state) {
        World *world = *state;
        pid_t pid = child();

        if (pid == 0) {
                (void)connect_to(world, 0);
                become_sleep();
        }
        wait_for_program(pid, "sleep");
        for (int i = 0; i < 2; i++) { /* the second time from what is known */
                assert_int_equal(i == 0 ? ask(world) : ask_again(world), WIRE_OWNER_FOUND);
                assert_int_equal(world->owner.programs[0].pid, pid);
                assert_non_null(strstr(world->owner.programs[0].path, "/sleep"));
                assert_int_equal(world->owner.program_count, 1); /* its parent is the finder */
        }
        end(pid);
}

static void many_connections_of_one(void **state) {
        World *world = *state;

        for (int i = 0; i < 50; i++) {
                int fds[3] = { connect_to(world, SOCK_CLOEXEC), -1, -1 };

                for (int j = 1; j <= i % 3; j++)
                        fds[j] = dup(fds[0]);
                assert_int_equal(ask(world), WIRE_OWNER_FOUND);
                assert_int_equal(world->owner.programs[0].pid, getpid());
                for (int j = 0; j < 3; j++)
                        (void)close(fds[j]);
                (void)close(world->connection);
        }
}

static void nobody_has_it_any_more(void **state) {
        World *world = *state;
        struct sockaddr_in local = { 0 };
        socklen_t size = sizeof(local);
        int fd = connect_to(world, SOCK_CLOEXEC);

        (void)getsockname(fd, (struct sockaddr *)&local, &size);
        (void)close(fd);
        assert_int_equal(ask_about(world, ntohs(local.sin_port)), WIRE_OWNER_GONE);
        assert_int_equal(world->owner.program_count, 0);
}

/* A process between this one and `sleep`; the pid of that is what it reports. */
static pid_t parent_of_sleep(const World *world, bool keeps_it, pid_t *ret_sleep) {
        int report[2];
        pid_t parent;

        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        parent = child();
        if (parent == 0) {
                int fd = connect_to(world, 0);
                pid_t pid = fork();

                if (pid == 0)
                        become_sleep();
                if (!keeps_it)
                        (void)close(fd);
                if (write(report[1], &pid, sizeof(pid)) == sizeof(pid))
                        (void)pause();
                _exit(0);
        }
        assert_int_equal(read(report[0], ret_sleep, sizeof(*ret_sleep)), sizeof(*ret_sleep));
        (void)close(report[0]);
        (void)close(report[1]);
        wait_for_program(*ret_sleep, "sleep");
        return parent;
}

/* The parent speaks, and the child has the name that a policy may allow. */
static void two_programs_have_it(void **state) {
        World *world = *state;
        pid_t pid, parent = parent_of_sleep(world, true, &pid);

        assert_int_equal(ask(world), WIRE_OWNER_AMBIGUOUS);
        assert_int_equal(world->owner.program_count, 0);
        (void)kill(pid, SIGKILL);
        end(parent);
}

/* The same, where the parent had connections before and is looked at first. */
static void a_child_has_it_too(void **state) {
        World *world = *state;
        pid_t pid;
        int fd;

        many_connections_of_one(state);
        fd = connect_to(world, 0);
        pid = child();
        if (pid == 0)
                become_sleep();
        wait_for_program(pid, "sleep");
        assert_int_equal(ask(world), WIRE_OWNER_AMBIGUOUS);
        (void)close(fd);
        end(pid);
}

/* A parent that ends is not taken for one that got its pid, nor remembered. */
static void a_parent_that_has_ended(void **state) {
        World *world = *state;
        pid_t pid, parent;

        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        parent = parent_of_sleep(world, false, &pid);
        assert_int_equal(ask(world), WIRE_OWNER_FOUND);
        assert_int_equal(world->owner.programs[0].pid, pid);
        assert_int_equal(world->owner.programs[1].pid, parent);
        assert_int_equal(world->owner.program_count, 2);

        end(parent);
        assert_int_equal(ask_again(world), WIRE_OWNER_FOUND);
        assert_int_equal(world->owner.programs[0].pid, pid);
        assert_int_equal(world->owner.program_count, 1);
        end(pid);
}

/* A process that has ended is not found through its directory, whoever has its pid. */
static void what_is_known_is_one_process(void **state) {
        World *world = *state;
        pid_t pid = child();
        KnownProcess *process;
        int directory;

        if (pid == 0)
                become_sleep();
        wait_for_program(pid, "sleep");
        directory = known_open_directory(&world->finder.known, pid);
        assert_true(directory >= 0);
        process = known_add(&world->finder.known, pid, directory);
        assert_true(known_refresh(&world->finder.known, process));
        end(pid);
        assert_false(known_refresh(&world->finder.known, process));
        for (pid_t other = 1; other <= 3 * (pid_t)KNOWN_MAX; other++) {
                directory = known_open_directory(&world->finder.known, getpid());
                (void)known_add(&world->finder.known, 1000000 + other, directory);
        }
        assert_null(known_find(&world->finder.known, pid)); /* it made room */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_program_and_its_ancestors, set_up, take_down),
                cmocka_unit_test_setup_teardown(many_connections_of_one, set_up, take_down),
                cmocka_unit_test_setup_teardown(nobody_has_it_any_more, set_up, take_down),
                cmocka_unit_test_setup_teardown(two_programs_have_it, set_up, take_down),
                cmocka_unit_test_setup_teardown(a_child_has_it_too, set_up, take_down),
                cmocka_unit_test_setup_teardown(a_parent_that_has_ended, set_up, take_down),
                cmocka_unit_test_setup_teardown(what_is_known_is_one_process, set_up, take_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
