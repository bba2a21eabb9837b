/* SPDX-License-Identifier: Apache-2.0 */

#include "http/response.h"

#include <event2/buffer.h>
#include <string.h>

static const struct {
        unsigned code;
        const char *phrase;
} phrases[] = {
        { 200, "OK" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 413, "Content Too Large" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
};

static const char *phrase_of(unsigned code) {
        for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
                if (phrases[i].code == code)
                        return phrases[i].phrase;
        return "Error";
}

int response_write(struct evbuffer *output, const Response *response) {
        int n = evbuffer_add_printf(output,
                "HTTP/1.1 %u %s\r\n"
                "Content-Type: %s\r\n"
                "Content-Length: %zu\r\n"
                "Cache-Control: no-store\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "%s%s\r\n%s",
                response->code, phrase_of(response->code), response->type, strlen(response->body),
                response->fields, response->close ? "Connection: close\r\n" : "", response->body);

        return n < 0 ? -1 : 0;
}
