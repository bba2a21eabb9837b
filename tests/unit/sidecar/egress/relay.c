/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/relay.h"

#include "base/fd.h"
#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1024 * 1024)

/* Two TCP connections on loopback with the relay between them: near ends for the test, far ends for
 * the relay. */
typedef struct Bench {
        Pipes *pipes;
        int client, upstream; /* near */
        int far_client, far_upstream;
        Relay relay;
} Bench;

static void make_pair(int *ret_near, int *ret_far) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        *ret_near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(*ret_near, (struct sockaddr *)&address, sizeof(address)), 0);
        *ret_far = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        assert_true(*ret_far >= 0);
        assert_int_equal(fd_set_nonblocking(*ret_near), 0);
        fd_close(listener);
}

static Bench bench_new(void) {
        Bench bench = { .pipes = pipes_new() };

        make_pair(&bench.client, &bench.far_client);
        make_pair(&bench.upstream, &bench.far_upstream);
        relay_init(&bench.relay, bench.pipes, bench.far_client, bench.far_upstream);
        return bench;
}

static void bench_done(Bench *bench) {
        relay_done(&bench->relay);
        (void)pipes_free(bench->pipes);
        fd_close(bench->client);
        fd_close(bench->upstream);
        fd_close(bench->far_client);
        fd_close(bench->far_upstream);
}

/* As a loop would after edges at both ends. */
static RelayState move(Bench *bench) {
        RelayState state;

        (void)usleep(1000); /* loopback delivers in the receiver's softirq: nearly at once */
        relay_note(&bench->relay, RELAY_CLIENT, true, true);
        relay_note(&bench->relay, RELAY_UPSTREAM, true, true);
        do
                state = relay_move(&bench->relay);
        while (state == RELAY_BUSY);
        return state;
}

static void expect_read(int fd, const char *text) {
        char data[64] = { 0 };

        assert_int_equal(read(fd, data, sizeof(data)), strlen(text));
        assert_string_equal(data, text);
}

static void test_both_ways(void **state) {
        Bench bench = bench_new();

        assert_int_equal(write(bench.client, "ping", 4), 4);
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.upstream, "ping");
        assert_int_equal(write(bench.upstream, "pong", 4), 4);
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.client, "pong");
        assert_int_equal(bench.relay.from[RELAY_CLIENT].moved, 4);
        /* Nothing is under way, so no pipe is held. */
        assert_int_equal(bench.relay.from[RELAY_CLIENT].pipe.read_fd, -1);
        bench_done(&bench);
}

static void test_half_close(void **state) {
        Bench bench = bench_new();

        assert_int_equal(write(bench.client, "last", 4), 4);
        assert_int_equal(shutdown(bench.client, SHUT_WR), 0);
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.upstream, "last");
        expect_read(bench.upstream, "");
        assert_int_equal(write(bench.upstream, "still", 5), 5);
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.client, "still");
        assert_int_equal(shutdown(bench.upstream, SHUT_WR), 0);
        assert_int_equal(move(&bench), RELAY_DONE);
        expect_read(bench.client, "");
        bench_done(&bench);
}

static void test_reset(void **state) {
        const struct linger now = { .l_onoff = 1 };
        Bench bench = bench_new();

        assert_int_equal(move(&bench), RELAY_WAITING);
        assert_int_equal(setsockopt(bench.upstream, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
        bench.upstream = fd_close(bench.upstream);
        assert_int_equal(move(&bench), RELAY_BROKEN);
        bench_done(&bench);
}

/* A sender that never stops and a receiver that never reads: what is taken in is bounded, and goes
 * on when the receiver does. */
static void test_back_pressure(void **state) {
        static char block[MEBIBYTE];
        Bench bench = bench_new();
        size_t sent = 0, received = 0;
        ssize_t n;

        for (int i = 0; i < 200; i++) {
                while ((n = write(bench.client, block, sizeof(block))) > 0)
                        sent += (size_t)n;
                assert_int_equal(errno, EAGAIN);
                assert_int_equal(move(&bench), RELAY_WAITING);
        }
        assert_true(bench.relay.from[RELAY_CLIENT].pipe.held <= PIPE_SIZE);
        assert_true(sent < 64 * MEBIBYTE); /* four socket buffers and a pipe */
        assert_int_equal(shutdown(bench.client, SHUT_WR), 0);
        for (int i = 0; i < 100000 && received < sent; i++) {
                while ((n = read(bench.upstream, block, sizeof(block))) > 0)
                        received += (size_t)n;
                (void)move(&bench);
        }
        assert_int_equal(received, sent);
        bench_done(&bench);
}

static void test_held(void **state) {
        Bench bench = bench_new();

        bench.relay.from[RELAY_CLIENT].held = true;
        assert_int_equal(write(bench.client, "secret", 6), 6);
        assert_int_equal(write(bench.upstream, "hello", 5), 5);
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.client, "hello");
        assert_int_equal(recv(bench.upstream, (char[8]){ 0 }, 8, 0), -1);
        bench.relay.from[RELAY_CLIENT].held = false;
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.upstream, "secret");
        bench_done(&bench);
}

static void test_limit(void **state) {
        Bench bench = bench_new();

        bench.relay.from[RELAY_CLIENT].limit = 4;
        assert_int_equal(write(bench.client, "bodyGET /second", 15), 15);
        assert_int_equal(move(&bench), RELAY_WAITING);
        expect_read(bench.upstream, "body");
        assert_int_equal(recv(bench.upstream, (char[8]){ 0 }, 8, 0), -1);
        assert_int_equal(errno, EAGAIN); /* not ended either */
        assert_int_equal(shutdown(bench.upstream, SHUT_WR), 0);
        assert_int_equal(move(&bench), RELAY_DONE);
        bench_done(&bench);
}

static void test_pipes_are_kept(void **state) {
        Pipes *pipes = pipes_new();
        Pipe taken[2 * PIPES_LARGE_MAX];
        int large = 0;

        for (size_t i = 0; i < 2 * PIPES_LARGE_MAX; i++) {
                assert_int_equal(pipes_take(pipes, &taken[i]), 0);
                large += taken[i].large;
        }
        assert_int_equal(large, PIPES_LARGE_MAX);
        for (size_t i = 0; i < 2 * PIPES_LARGE_MAX; i++) {
                pipes_give_back(pipes, &taken[i]);
                assert_int_equal(taken[i].read_fd, -1);
        }
        assert_int_equal(pipes_take(pipes, &taken[0]), 0);
        taken[0].held = 5; /* dirty ones never come back */
        const int fd = taken[0].read_fd;
        pipes_give_back(pipes, &taken[0]);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
        (void)pipes_free(pipes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_ways),
                cmocka_unit_test(test_half_close),
                cmocka_unit_test(test_reset),
                cmocka_unit_test(test_back_pressure),
                cmocka_unit_test(test_held),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_pipes_are_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
