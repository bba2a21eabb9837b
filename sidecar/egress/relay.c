/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Fills of one direction before the other connections have their turn. */
#define TURNS 16

void relay_init(Relay *relay, Pipes *pipes, int client_fd, int upstream_fd) {
        *relay = (Relay){ .fds = { client_fd, upstream_fd }, .pipes = pipes };
        for (int side = 0; side < RELAY_SIDES; side++)
                relay->from[side] = (RelayDirection){
                        .pipe = PIPE_NONE,
                        .limit = UINT64_MAX,
                        .readable = true, /* a first try that finds nothing costs one system call */
                        .writable = true,
                };
}

void relay_done(Relay *relay) {
        for (int side = 0; side < RELAY_SIDES; side++)
                pipes_give_back(relay->pipes, &relay->from[side].pipe);
}

void relay_limit(Relay *relay, RelaySide side, uint64_t bytes) {
        relay->from[side].limit = bytes;
        relay->from[side].ended = bytes == 0;
}

void relay_note(Relay *relay, RelaySide side, bool readable, bool writable) {
        if (readable)
                relay->from[side].readable = true;
        if (writable)
                relay->from[side == RELAY_CLIENT ? RELAY_UPSTREAM : RELAY_CLIENT].writable = true;
}

/* From the socket into the empty pipe. Empty, so that EAGAIN can only mean that the socket has
 * nothing. */
static int fill(Relay *relay, RelayDirection *way, int from_fd) {
        const size_t most = way->limit < PIPE_SIZE ? (size_t)way->limit : PIPE_SIZE;
        ssize_t n;

        if (way->pipe.read_fd < 0) {
                int r = pipes_take(relay->pipes, &way->pipe);

                if (r < 0)
                        return r;
        }
        n = splice(
                from_fd, NULL, way->pipe.write_fd, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                way->readable = errno == EINTR;
                return 0;
        }
        if (n < 0)
                return -errno;
        way->pipe.held = (size_t)n;
        if (way->limit != UINT64_MAX)
                way->limit -= (uint64_t)n;
        way->ended = n == 0 || way->limit == 0;
        return 0;
}

static int drain(RelayDirection *way, int to_fd) {
        ssize_t n = splice(way->pipe.read_fd, NULL, to_fd, NULL, way->pipe.held,
                SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                way->writable = errno == EINTR;
                return 0;
        }
        if (n <= 0)
                return n < 0 ? -errno : -EPIPE;
        way->pipe.held -= (size_t)n;
        way->moved += (uint64_t)n;
        return 0;
}

/* A limit that was reached is no end of the stream: some servers take a half-closed connection for
 * one that was given up. */
static void shut(RelayDirection *way, int to_fd) {
        if (way->limit != 0)
                (void)shutdown(to_fd, SHUT_WR);
        way->shut = true;
}

static bool can_fill(const RelayDirection *way) {
        return way->pipe.held == 0 && !way->held && !way->ended && way->readable;
}

static int move_one_way(Relay *relay, RelayDirection *way, int from_fd, int to_fd) {
        int r = 0;

        for (int turn = 0; r == 0 && turn < TURNS; turn++) {
                if (can_fill(way))
                        r = fill(relay, way, from_fd);
                while (r == 0 && way->pipe.held > 0 && way->writable)
                        r = drain(way, to_fd);
                if (way->pipe.held > 0 || !can_fill(way))
                        break;
        }
        if (r < 0)
                return r;
        if (way->pipe.held == 0)
                pipes_give_back(relay->pipes, &way->pipe);
        if (way->ended && way->pipe.held == 0 && !way->shut)
                shut(way, to_fd);
        return can_fill(way) ? 1 : 0;
}

RelayState relay_move(Relay *relay) {
        RelayDirection *out = &relay->from[RELAY_CLIENT], *in = &relay->from[RELAY_UPSTREAM];
        int more_out =
                move_one_way(relay, out, relay->fds[RELAY_CLIENT], relay->fds[RELAY_UPSTREAM]);
        int more_in = more_out < 0 ? 0
                                   : move_one_way(relay, in, relay->fds[RELAY_UPSTREAM],
                                             relay->fds[RELAY_CLIENT]);

        if (more_out < 0 || more_in < 0)
                return RELAY_BROKEN;
        /* When the server has ended, a request whose body was limited has nothing more to wait for.
         */
        if (in->shut && (out->shut || out->limit == 0))
                return RELAY_DONE;
        return more_out > 0 || more_in > 0 ? RELAY_BUSY : RELAY_WAITING;
}
