/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A client of the exec endpoint as plain as the protocol permits: one GET with the upgrade,
 * v5.channel.k8s.io, no standard input. What the program prints is thrown away; channel 3 carries
 * the Status with the exit code, and the Close frame ends the clock.
 */
#include "base/cleanup.h"
#include "tests/bench/kind.h"
#include "tests/bench/options.h"
#include "tests/bench/transport.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_ROOM 8192U
#define ANSWER_ROOM 65536U /* no frame of a session measured here is longer */
#define CHANNEL_STATUS 3
#define OPCODE_MASK 0x0FU
#define OPCODE_CLOSE 8

struct Run {
        Transport *transport;
        size_t request_size, held; /* held: bytes of answer[] */
        int code;                  /* -1 until the Status has come */
        char request[REQUEST_ROOM];
        unsigned char answer[ANSWER_ROOM];
};

static void append(Run *run, const char *text) {
        size_t size = strlen(text);

        if (size < REQUEST_ROOM - run->request_size)
                memcpy(run->request + run->request_size, text, size + 1);
        run->request_size += size; /* beyond the room: refused below */
}

static void append_encoded(Run *run, const char *text) {
        char escape[4];

        for (; *text != '\0'; text++) {
                (void)snprintf(escape, sizeof(escape), "%%%02X", (unsigned char)*text);
                append(run, escape);
        }
}

static int append_token(Run *run, const char *file, Error *error) {
        char token[1024] = "";
        FILE *stream = fopen(file, "re");
        bool done = stream != NULL && fgets(token, sizeof(token), stream) != NULL;

        if (stream != NULL)
                (void)fclose(stream);
        if (!done)
                return error_set(error, ERROR_INPUT, errno, "cannot read the token in '%s'", file);
        token[strcspn(token, "\n")] = '\0';
        append(run, "Authorization: Bearer ");
        append(run, token);
        append(run, "\r\n");
        return 0;
}

static int write_request(Run *run, const Options *options, Error *error) {
        append(run, "GET /api/v1/namespaces/default/pods/");
        append(run, options->pod);
        append(run, "/exec?stdout=true&stderr=true");
        append(run, options->login ? "" : "&login=false");
        for (char **word = options->arguments; *word != NULL; word++) {
                append(run, "&command=");
                append_encoded(run, *word);
        }
        append(run, " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RvcHdhdGNoIG9mIHRlc3Q=\r\n"
                    "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n");
        if (options->socket == NULL && append_token(run, options->token, error) < 0)
                return -1;
        append(run, "\r\n");
        if (run->request_size >= REQUEST_ROOM)
                return error_set(error, ERROR_LIMIT, 0,
                        "the program's arguments are too long for this client");
        return 0;
}

static Run *session_forget(Run *run) {
        if (run != NULL)
                run->transport = transport_free(run->transport);
        free(run);
        return NULL;
}

DEFINE_CLEANUP(Run *, session_forget);

static int session_prepare(const Options *options, Run **ret_run, Error *error) {
        cleanup(session_forgetp) Run *run = calloc(1, sizeof(*run));
        int r;

        if (run == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot prepare");
        run->code = -1;
        if (write_request(run, options, error) < 0)
                return -1;
        r = options->socket != NULL
                    ? transport_open_unix(options->socket, &run->transport, error)
                    : transport_open_tls(options->port, options->trust, &run->transport, error);
        if (r < 0)
                return -1;
        *ret_run = take_ptr(run);
        return 0;
}

static int fill(Run *run, Error *error) {
        ssize_t n;

        if (run->held == ANSWER_ROOM)
                return error_set(error, ERROR_PEER, 0,
                        "the gateway sent a frame longer than any this client expects");
        n = transport_read(run->transport, run->answer + run->held, ANSWER_ROOM - run->held, error);
        if (n <= 0)
                return n < 0 ? -1
                             : error_set(error, ERROR_PEER, 0,
                                       "the gateway closed the connection without a Close frame");
        run->held += (size_t)n;
        return 0;
}

static void consume(Run *run, size_t size) {
        run->held -= size;
        memmove(run->answer, run->answer + size, run->held);
}

static int read_head(Run *run, Error *error) {
        const unsigned char *end;

        while ((end = memmem(run->answer, run->held, "\r\n\r\n", 4)) == NULL)
                if (fill(run, error) < 0)
                        return -1;
        if (memcmp(run->answer, "HTTP/1.1 101 ", strlen("HTTP/1.1 101 ")) != 0)
                return error_set(error, ERROR_PEER, 0, "the gateway refused: %.*s", (int)run->held,
                        (const char *)run->answer);
        consume(run, (size_t)(end - run->answer) + 4);
        return 0;
}

static int code_of_status(const json_t *status) {
        const char *word = json_string_value(json_object_get(status, "status"));
        const json_t *causes = json_object_get(json_object_get(status, "details"), "causes");
        const json_t *cause;
        size_t i;

        if (word != NULL && strcmp(word, "Success") == 0)
                return 0;
        json_array_foreach(causes, i, cause) {
                const char *reason = json_string_value(json_object_get(cause, "reason"));
                const char *message = json_string_value(json_object_get(cause, "message"));

                if (reason != NULL && message != NULL && strcmp(reason, "ExitCode") == 0)
                        return (int)strtoul(message, NULL, 10);
        }
        return -1;
}

static int take_status(Run *run, const unsigned char *text, size_t size, Error *error) {
        json_t *status = json_loadb((const char *)text, size, 0, NULL);

        run->code = code_of_status(status);
        json_decref(status);
        if (run->code < 0)
                return error_set(error, ERROR_PEER, 0, "a Status without an exit code: %.*s",
                        (int)size, (const char *)text);
        return 0;
}

/* 1 for the Close frame, 0 for another. */
static int read_frame(Run *run, Error *error) {
        size_t head = 2, size;
        unsigned opcode;

        while (run->held < head || (head == 2 && run->answer[1] == 126 && run->held < 4))
                if (fill(run, error) < 0)
                        return -1;
        size = run->answer[1];
        if (size == 126) {
                head = 4;
                size = (size_t)run->answer[2] << 8 | run->answer[3];
        }
        while (run->held < head + size)
                if (fill(run, error) < 0)
                        return -1;
        opcode = run->answer[0] & OPCODE_MASK;
        if (opcode == OPCODE_CLOSE)
                return 1;
        if (size > 1 && run->answer[head] == CHANNEL_STATUS &&
                take_status(run, run->answer + head + 1, size - 1, error) < 0)
                return -1;
        consume(run, head + size);
        return 0;
}

static int session_run(Run *run, int *ret_code, Error *error) {
        int r;

        if (transport_write(run->transport, run->request, run->request_size, error) < 0 ||
                read_head(run, error) < 0)
                return -1;
        do
                r = read_frame(run, error);
        while (r == 0);
        if (r < 0)
                return -1;
        if (run->code < 0)
                return error_set(error, ERROR_PEER, 0, "the gateway closed without a Status");
        *ret_code = run->code;
        return 0;
}

const Kind kind_session = { "session", session_prepare, session_run, session_forget };
