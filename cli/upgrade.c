/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answer's Sec-WebSocket-Accept is not looked at: it tells a WebSocket server from a cache or a
 * proxy that does not know the protocol, and on a local socket there is neither. The same goes for
 * the key, which is not random.
 */
#include "cli/upgrade.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/session.h"
#include "sidecar/gateway/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (64U * 1024U)
#define HEAD_END "\r\n\r\n"

static int reach(const char *path, int *ret_socket, Error *error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(
                        error, ERROR_INPUT, 0, "'%s' is too long for a socket's path", path);
        memcpy(address.sun_path, path, strlen(path));
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot reach the sandbox's gateway at '%s' (is this the sidecar's "
                        "container?)",
                        path);
        *ret_socket = take_fd(fd);
        return 0;
}

/* application/x-www-form-urlencoded, everything but the plainest escaped. */
static void write_encoded(FILE *out, const char *text) {
        static const char plain[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

        for (; *text != '\0'; text++)
                if (strchr(plain, *text) != NULL)
                        (void)fputc(*text, out);
                else
                        (void)fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
}

static void write_parameter(FILE *out, const char *key, const char *value) {
        if (value == NULL)
                return;
        (void)fprintf(out, "&%s=", key);
        write_encoded(out, value);
}

static void write_request(FILE *out, const SessionRequest *request) {
        const char *term = getenv("TERM");

        /* By the local socket there is one pod, whatever it is called. */
        (void)fputs("GET /api/v1/namespaces/local/pods/local/exec?stdin=true&stdout=true", out);
        write_parameter(out, request->terminal ? "tty" : "stderr", "true");
        write_parameter(out, "login", request->as_given ? "false" : NULL);
        write_parameter(out, "container", request->container);
        write_parameter(out, "workdir", request->directory);
        write_parameter(out, "timeout", request->timeout);
        for (char *const *argument = request->arguments; *argument != NULL; argument++)
                write_parameter(out, "command", *argument);
        if (request->terminal && term != NULL && term[0] != '\0') {
                (void)fputs("&env=TERM%3D", out);
                write_encoded(out, term);
        }
        (void)fputs(" HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bmF2aWdhdG9yLWV4ZWMtMQ==\r\n"
                    "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
                out);
}

static int send_request(int socket, const SessionRequest *request, Error *error) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        int r;

        if (out == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        write_request(out, request);
        if (fclose(out) != 0)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        r = fd_write_full(socket, text, size);
        /* A gateway that refuses early may close before it has read all: its answer says why. */
        if (r < 0 && r != -EPIPE && r != -ECONNRESET)
                return error_set(error, ERROR_OS, -r, "cannot send the request");
        return 0;
}

typedef struct Answer {
        char text[ANSWER_MAX + 1];
        size_t size;
        size_t head_size; /* with its empty line */
} Answer;

/* Reads until there are `size` bytes; 0 when the other side ends before. */
static int read_more(int socket, Answer *answer) {
        ssize_t n;

        if (answer->size == ANSWER_MAX)
                return 0;
        do
                n = read(socket, answer->text + answer->size, ANSWER_MAX - answer->size);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return 0;
        answer->size += (size_t)n;
        answer->text[answer->size] = '\0';
        return 1;
}

static int read_head(int socket, Answer *answer, Error *error) {
        const char *end;

        while ((end = strstr(answer->text, HEAD_END)) == NULL)
                if (!read_more(socket, answer))
                        return error_set(error, ERROR_PEER, 0, "the gateway gave no answer");
        answer->head_size = (size_t)(end - answer->text) + strlen(HEAD_END);
        return 0;
}

/* The body is one Status; the gateway says its length, and closing is as good. */
static int refused(int socket, Answer *answer, Error *error) {
        RemoteStatus status;

        for (;;) {
                const char *body = answer->text + answer->head_size;

                if (remote_status_parse(body, answer->size - answer->head_size, &status, error) ==
                        0)
                        return error_set(error, ERROR_DENIED, 0, "%s", status.message);
                if (!read_more(socket, answer))
                        return error_set(error, ERROR_PEER, 0, "the gateway answered: %.*s",
                                (int)strcspn(answer->text, "\r\n"), answer->text);
        }
}

int upgrade(const SessionRequest *request, int *ret_socket, char **ret_early,
        size_t *ret_early_size, Error *error) {
        cleanup_free Answer *answer = calloc(1, sizeof(*answer));
        cleanup_free char *early = NULL;
        cleanup_fd int socket = -1;

        if (answer == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        if (reach(request->socket_path, &socket, error) < 0 ||
                send_request(socket, request, error) < 0 || read_head(socket, answer, error) < 0)
                return -1;
        if (strncmp(answer->text, "HTTP/1.1 101 ", 13) != 0)
                return refused(socket, answer, error);
        early = malloc(answer->size - answer->head_size + 1);
        if (early == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        memcpy(early, answer->text + answer->head_size, answer->size - answer->head_size);
        *ret_early = take_ptr(early);
        *ret_early_size = answer->size - answer->head_size;
        *ret_socket = take_fd(socket);
        return 0;
}
