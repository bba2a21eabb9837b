/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The other anchor: OpenSSH's sshd on a connection that is up. An `ssh -M` holds it; this speaks to
 * that one's control socket as `ssh -S` would (PROTOCOL.mux of OpenSSH, version 4), without the
 * cost of starting an ssh. On the clock: the request, the ssh that encrypts it, sshd, its fork, the
 * user's shell, and the exit code's way back.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/message.h"
#include "tests/bench/kind.h"
#include "tests/bench/options.h"
#include "tests/bench/transport.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELLO 0x00000001U
#define NEW_SESSION 0x10000002U
#define EXIT_MESSAGE 0x80000004U
#define SESSION_OPENED 0x80000006U
#define TTY_ALLOC_FAIL 0x80000008U
#define VERSION 4U
#define NO_ESCAPE 0xFFFFFFFFU
#define PACKET_ROOM 8192U

typedef struct Packet {
        unsigned char data[PACKET_ROOM]; /* behind the length */
        size_t size;
} Packet;

struct Run {
        int fd, null;
        Packet request, answer;
};

static void put_number(Packet *packet, uint32_t value) {
        uint32_t big = htobe32(value);

        if (packet->size + sizeof(big) <= PACKET_ROOM)
                memcpy(packet->data + packet->size, &big, sizeof(big));
        packet->size += sizeof(big);
}

static void put_bytes(Packet *packet, const char *text, size_t size) {
        if (packet->size + size <= PACKET_ROOM)
                memcpy(packet->data + packet->size, text, size);
        packet->size += size;
}

static uint32_t number_at(const Packet *packet, size_t at) {
        uint32_t big = 0;

        if (at + sizeof(big) <= packet->size)
                memcpy(&big, packet->data + at, sizeof(big));
        return be32toh(big);
}

static int packet_send(int fd, const Packet *packet, Error *error) {
        uint32_t size = htobe32((uint32_t)packet->size);
        int r = packet->size > PACKET_ROOM ? -E2BIG : fd_write_full(fd, &size, sizeof(size));

        if (r == 0)
                r = fd_write_full(fd, packet->data, packet->size);
        return r < 0 ? error_set(error, ERROR_PEER, -r, "ssh takes no request") : 0;
}

static int packet_receive(int fd, Packet *packet, Error *error) {
        uint32_t size = 0;

        if (fd_read_full(fd, &size, sizeof(size)) != sizeof(size) || be32toh(size) > PACKET_ROOM)
                return error_set(error, ERROR_PEER, 0, "ssh ended the talk");
        packet->size = be32toh(size);
        if (fd_read_full(fd, packet->data, packet->size) != (ssize_t)packet->size)
                return error_set(error, ERROR_PEER, 0, "ssh ended the talk");
        return 0;
}

static int greet(Run *run, Error *error) {
        Packet hello = { .size = 0 };

        put_number(&hello, HELLO);
        put_number(&hello, VERSION);
        if (packet_send(run->fd, &hello, error) < 0 ||
                packet_receive(run->fd, &run->answer, error) < 0)
                return -1;
        if (number_at(&run->answer, 0) != HELLO || number_at(&run->answer, 4) != VERSION)
                return error_set(error, ERROR_PEER, 0,
                        "this ssh does not speak version %u of its control protocol", VERSION);
        return 0;
}

static void put_command(Packet *packet, char **arguments) {
        size_t size = 0;

        for (char **word = arguments; *word != NULL; word++)
                size += strlen(*word) + (word == arguments ? 0 : 1);
        put_number(packet, (uint32_t)size);
        for (char **word = arguments; *word != NULL; word++) {
                if (word != arguments)
                        put_bytes(packet, " ", 1);
                put_bytes(packet, *word, strlen(*word));
        }
}

static void write_request(Packet *packet, char **arguments) {
        const uint32_t head[] = { NEW_SESSION, 0 /* request */, 0 /* reserved: an empty string */,
                0 /* terminal */, 0 /* X11 */, 0 /* agent */, 0 /* subsystem */, NO_ESCAPE,
                0 /* TERM: an empty string */ };

        for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
                put_number(packet, head[i]);
        put_command(packet, arguments);
}

static Run *multiplex_forget(Run *run) {
        if (run == NULL)
                return NULL;
        (void)fd_close(run->fd);
        (void)fd_close(run->null);
        free(run);
        return NULL;
}

DEFINE_CLEANUP(Run *, multiplex_forget);

static int multiplex_prepare(const Options *options, Run **ret_run, Error *error) {
        cleanup(multiplex_forgetp) Run *run = calloc(1, sizeof(*run));

        if (run == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot prepare");
        run->null = open("/dev/null", O_RDWR | O_CLOEXEC);
        run->fd = transport_connect_unix(options->socket, error);
        if (run->fd < 0 || greet(run, error) < 0)
                return -1;
        write_request(&run->request, options->arguments);
        *ret_run = take_ptr(run);
        return 0;
}

/* The three standard streams, each on a byte of its own. */
static int send_streams(const Run *run, Error *error) {
        for (int i = 0; i < 3; i++) {
                int r = message_send(run->fd, "", 1, &run->null, 1);

                if (r < 0)
                        return error_set(error, ERROR_PEER, -r, "ssh takes no descriptor");
        }
        return 0;
}

static int multiplex_run(Run *run, int *ret_code, Error *error) {
        if (packet_send(run->fd, &run->request, error) < 0 || send_streams(run, error) < 0)
                return -1;
        for (;;) {
                if (packet_receive(run->fd, &run->answer, error) < 0)
                        return -1;
                switch (number_at(&run->answer, 0)) {
                case SESSION_OPENED:
                case TTY_ALLOC_FAIL:
                        continue;
                case EXIT_MESSAGE:
                        *ret_code = (int)number_at(&run->answer, 8);
                        return 0;
                default:
                        return error_set(error, ERROR_PEER, 0,
                                "ssh refused a session (message 0x%x)", number_at(&run->answer, 0));
                }
        }
}

const Kind kind_multiplex = { "multiplex", multiplex_prepare, multiplex_run, multiplex_forget };
