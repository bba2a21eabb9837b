/* SPDX-License-Identifier: Apache-2.0 */

/* Arguments travel as `command=` pairs, every byte but letters, digits and -._~ escaped (RFC 3986).
 */
#include "cli/exec_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_escaped(FILE *out, const char *text) {
        for (; *text != '\0'; text++)
                if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
                            *text) != NULL)
                        (void)fputc(*text, out);
                else
                        (void)fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
}

static void write_head(FILE *out, const ExecRequest *request, const char *key) {
        (void)fprintf(out, "GET /api/v1/namespaces/%s/pods/%s/exec?stdin=true&stdout=true",
                request->pod_namespace, request->pod);
        (void)fputs(request->terminal ? "&tty=true" : "&stderr=true", out);
        if (!request->login)
                (void)fputs("&login=false", out);
        if (request->container[0] != '\0') {
                (void)fputs("&container=", out);
                write_escaped(out, request->container);
        }
        for (char *const *argument = request->arguments; *argument != NULL; argument++) {
                (void)fputs("&command=", out);
                write_escaped(out, *argument);
        }
        (void)fprintf(out,
                " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
                "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
                key);
}

int exec_request_write(const ExecRequest *request, const char *key, char **ret_head,
        size_t *ret_size, Error *error) {
        char *head = NULL;
        FILE *out = open_memstream(&head, ret_size);

        if (out != NULL)
                write_head(out, request, key);
        if (out == NULL || fclose(out) == EOF) {
                free(head);
                return error_set(error, ERROR_LIMIT, ENOMEM, "cannot write the request");
        }
        *ret_head = head;
        return 0;
}
