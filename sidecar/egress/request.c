/* SPDX-License-Identifier: Apache-2.0 */

/*
 * http-parser finds the parts; the rules here decide whether there could be a second reading.
 * Debian builds that library with its lenient settings, so line ends, tokens and repeated headers
 * are checked here and not left to it.
 *
 * Parsing begins when the empty line has come: a head is at most 8 KiB, so reading it once and
 * whole costs less than keeping a parser per connection.
 */
#include "sidecar/egress/request.h"

#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_HTTP_PORT 80U

typedef struct Head {
        Request *request;
        RequestText url;
        bool complete, too_many;
} Head;

/* What only concerns one connection (RFC 9110 7.6.1), and what could move the reader's idea of
 * where a request ends. */
static const char *const connection_headers[] = {
        "connection",
        "expect", /* the client would wait for a 100 that a closing server need not send */
        "host",   /* written anew */
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
};

static int refuse(unsigned *ret_status, unsigned status, Error *error, const char *text) {
        *ret_status = status;
        return error_set(error, status == 431 ? ERROR_LIMIT : ERROR_INPUT, 0, "%s", text);
}

static bool text_is(RequestText text, const char *word) {
        return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

/* Returns the size of the head, or 0 when its empty line has not come. Both kinds of line end count
 * here; check_lines() refuses one. */
static size_t find_end(const char *data, size_t size) {
        for (const char *at = data; (at = memchr(at, '\n', size - (size_t)(at - data))) != NULL;
                at++) {
                size_t used = (size_t)(at - data) + 1;

                if (size - used >= 1 && at[1] == '\n')
                        return used + 1;
                if (size - used >= 2 && at[1] == '\r' && at[2] == '\n')
                        return used + 2;
        }
        return 0;
}

static const char *check_lines(const char *head, size_t size) {
        if (head[0] == '\r' || head[0] == '\n')
                return "an empty line before the request";
        for (size_t i = 0; i < size; i++) {
                const unsigned char byte = (unsigned char)head[i];

                if (byte == '\r' && (i + 1 == size || head[i + 1] != '\n'))
                        return "a carriage return without a line feed";
                if (byte == '\n' && (i == 0 || head[i - 1] != '\r'))
                        return "a line that ends without a carriage return";
                if (byte == '\n' && i + 1 < size && (head[i + 1] == ' ' || head[i + 1] == '\t'))
                        return "a header that goes on in the next line";
                if ((byte < ' ' && byte != '\r' && byte != '\n' && byte != '\t') || byte == 0x7f)
                        return "a control character";
        }
        return NULL;
}

static bool is_token(RequestText text) {
        static const char others[] = "!#$%&'*+-.^_`|~";

        for (size_t i = 0; i < text.size; i++) {
                const char byte = text.data[i];
                const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';

                if (!letter && !(byte >= '0' && byte <= '9') &&
                        (byte == '\0' || strchr(others, byte) == NULL))
                        return false;
        }
        return text.size > 0;
}

/* http-parser's callbacks. All of the head is in one buffer, so each part comes in one piece. */

static int on_url(http_parser *parser, const char *at, size_t size) {
        Head *head = parser->data;

        head->url = (RequestText){ at, size };
        return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t size) {
        Head *head = parser->data;
        Request *request = head->request;

        if (request->header_count == REQUEST_HEADERS_MAX) {
                head->too_many = true;
                return 1;
        }
        request->headers[request->header_count++] = (RequestHeader){ .name = { at, size } };
        return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t size) {
        Head *head = parser->data;

        while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
                size--;
        head->request->headers[head->request->header_count - 1].value = (RequestText){ at, size };
        return 0;
}

static int on_headers_complete(http_parser *parser) {
        Head *head = parser->data;

        head->complete = true;
        return 1; /* no body is to be parsed */
}

static int parse_lines(
        const char *data, size_t size, Head *head, unsigned *ret_status, Error *error) {
        static const http_parser_settings settings = {
                .on_url = on_url,
                .on_header_field = on_header_field,
                .on_header_value = on_header_value,
                .on_headers_complete = on_headers_complete,
        };
        Request *request = head->request;
        http_parser parser;

        http_parser_init(&parser, HTTP_REQUEST);
        parser.data = head;
        (void)http_parser_execute(&parser, &settings, data, size);
        if (head->too_many)
                return refuse(ret_status, 431, error, "the request has more than 100 headers");
        if (!head->complete) {
                const enum http_errno code = HTTP_PARSER_ERRNO(&parser);

                *ret_status = code == HPE_INVALID_METHOD ? 501 : 400;
                return error_set(error, ERROR_INPUT, 0, "the request cannot be read: %s",
                        http_errno_description(code));
        }
        if (parser.http_major != 1 || parser.http_minor > 1)
                return refuse(ret_status, 505, error, "this proxy speaks HTTP/1.1 and HTTP/1.0");
        for (size_t i = 0; i < request->header_count; i++)
                if (!is_token(request->headers[i].name))
                        return refuse(ret_status, 400, error,
                                "the name of a header has a character that none may have");
        request->form = parser.method == HTTP_CONNECT ? REQUEST_TUNNEL : REQUEST_FORWARD;
        request->method.data = http_method_str((enum http_method)parser.method);
        request->method.size = strlen(request->method.data);
        if (parser.method == HTTP_TRACE)
                return refuse(
                        ret_status, 405, error, "TRACE would show the headers of other software");
        return 0;
}

/* The value of a header that may stand once; more of them are refused. */
static int single_header(const Request *request, const char *name, RequestText *ret_value,
        unsigned *ret_status, Error *error) {
        *ret_value = (RequestText){ 0 };
        for (size_t i = 0; i < request->header_count; i++) {
                if (!text_is(request->headers[i].name, name))
                        continue;
                if (ret_value->data != NULL) {
                        *ret_status = 400;
                        return error_set(error, ERROR_INPUT, 0, "the header %s stands twice", name);
                }
                *ret_value = request->headers[i].value;
                if (ret_value->data == NULL)
                        ret_value->data = "";
        }
        return 0;
}

static int check_body(Request *request, unsigned *ret_status, Error *error) {
        RequestText length, encoding;

        if (single_header(request, "Content-Length", &length, ret_status, error) < 0 ||
                single_header(request, "Transfer-Encoding", &encoding, ret_status, error) < 0)
                return -1;
        if (encoding.data != NULL && length.data != NULL)
                return refuse(ret_status, 400, error,
                        "Content-Length and Transfer-Encoding in one request");
        if (encoding.data != NULL)
                return refuse(ret_status, 411, error,
                        "this proxy forwards plain HTTP bodies with a Content-Length only; use it, "
                        "or CONNECT for a tunnel");
        if (length.data == NULL)
                return 0;
        for (size_t i = 0; i < length.size; i++)
                if (length.data[i] < '0' || length.data[i] > '9')
                        return refuse(ret_status, 400, error, "Content-Length is not a number");
        if (length.size == 0 || length.size > 18)
                return refuse(
                        ret_status, 400, error, "Content-Length is not a number of this world");
        for (size_t i = 0; i < length.size; i++)
                request->body_size = request->body_size * 10 + (uint64_t)(length.data[i] - '0');
        if (request->form == REQUEST_TUNNEL && request->body_size > 0)
                return refuse(ret_status, 400, error, "a CONNECT request has no body");
        return 0;
}

static int check_host(const Request *request, unsigned *ret_status, Error *error) {
        const uint16_t default_port =
                request->form == REQUEST_FORWARD ? DEFAULT_HTTP_PORT : request->destination.port;
        RequestText text;
        Destination host;

        if (single_header(request, "Host", &text, ret_status, error) < 0)
                return -1;
        if (text.data == NULL)
                return 0; /* HTTP/1.0, and tunnels of old clients; the one we send on is made from
                             the target */
        *ret_status = 400;
        if (destination_parse(text.data, text.size, default_port, &host, error) < 0)
                return error_context(error, "the Host header");
        if (!destination_equal(&host, &request->destination))
                return refuse(ret_status, 400, error,
                        "the Host header names another host than the target of the request");
        return 0;
}

static int read_target(Request *request, RequestText url, unsigned *ret_status, Error *error) {
        static const char scheme[] = "http://";
        const size_t scheme_size = sizeof(scheme) - 1;
        size_t size = 0;

        *ret_status = 400;
        if (request->form == REQUEST_TUNNEL)
                return destination_parse(url.data, url.size, 0, &request->destination, error);

        if (url.size >= 8 && strncasecmp(url.data, "https://", 8) == 0)
                return refuse(ret_status, 400, error, "Use CONNECT for HTTPS URLs");
        if (url.size < scheme_size || strncasecmp(url.data, scheme, scheme_size) != 0)
                return refuse(ret_status, 400, error,
                        "this is a proxy: it takes CONNECT host:port, and http:// URLs in full "
                        "(GET http://host/path)");
        url.data += scheme_size;
        url.size -= scheme_size;
        if (memchr(url.data, '#', url.size) != NULL)
                return refuse(ret_status, 400, error, "a URL in a request has no fragment");

        while (size < url.size && url.data[size] != '/' && url.data[size] != '?')
                size++;
        if (memchr(url.data, '@', size) != NULL)
                return refuse(ret_status, 400, error,
                        "a user in the URL: send an Authorization header instead");
        request->path = (RequestText){ url.data + size, url.size - size };
        return destination_parse(url.data, size, DEFAULT_HTTP_PORT, &request->destination, error);
}

int request_parse(
        const char *data, size_t size, Request *ret_request, unsigned *ret_status, Error *error) {
        const size_t end = find_end(data, size < REQUEST_HEAD_MAX ? size : REQUEST_HEAD_MAX);
        Head head = { .request = ret_request };
        const char *why;

        ret_request->header_count = 0;
        ret_request->body_size = 0;
        ret_request->head_size = end;
        if (end == 0 && size >= REQUEST_HEAD_MAX)
                return refuse(
                        ret_status, 431, error, "the head of the request has more than 8192 bytes");
        if (end == 0)
                return REQUEST_INCOMPLETE;
        why = check_lines(data, end);
        if (why != NULL)
                return refuse(ret_status, 400, error, why);
        if (parse_lines(data, end, &head, ret_status, error) < 0 ||
                read_target(ret_request, head.url, ret_status, error) < 0 ||
                check_host(ret_request, ret_status, error) < 0 ||
                check_body(ret_request, ret_status, error) < 0)
                return -1;
        return 0;
}

/* Headers that a Connection header names concern the connection too. */
static bool is_named_by_connection(const Request *request, RequestText name) {
        for (size_t i = 0; i < request->header_count; i++) {
                const RequestText list = request->headers[i].value;

                if (!text_is(request->headers[i].name, "Connection"))
                        continue;
                for (size_t at = 0; at < list.size;) {
                        const char *comma = memchr(list.data + at, ',', list.size - at);
                        size_t end = comma != NULL ? (size_t)(comma - list.data) : list.size;
                        RequestText word = { list.data + at, end - at };

                        while (word.size > 0 && (word.data[0] == ' ' || word.data[0] == '\t'))
                                word = (RequestText){ word.data + 1, word.size - 1 };
                        while (word.size > 0 && (word.data[word.size - 1] == ' ' ||
                                                        word.data[word.size - 1] == '\t'))
                                word.size--;
                        if (word.size == name.size &&
                                strncasecmp(word.data, name.data, name.size) == 0)
                                return true;
                        at = end + 1;
                }
        }
        return false;
}

static bool is_passed_on(const Request *request, RequestText name) {
        for (size_t i = 0; i < sizeof(connection_headers) / sizeof(connection_headers[0]); i++)
                if (text_is(name, connection_headers[i]))
                        return false;
        /* Content-Length stays whatever Connection says: without it the next reader would take the
         * body for a request. */
        return text_is(name, "content-length") || !is_named_by_connection(request, name);
}

size_t request_write_forward(
        const Request *request, const char *proxy_authorization, char *ret_head, size_t room) {
        const bool absolute = proxy_authorization != NULL;
        const bool rooted = request->path.size > 0 && request->path.data[0] == '/';
        char authority[DESTINATION_TEXT_SIZE];
        size_t used;

        destination_format(&request->destination, DEFAULT_HTTP_PORT, authority);
        used = (size_t)snprintf(ret_head, room,
                "%.*s %s%s%s%.*s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n",
                (int)request->method.size, request->method.data, absolute ? "http://" : "",
                absolute ? authority : "", rooted ? "" : "/", (int)request->path.size,
                request->path.data, authority);
        if (absolute && proxy_authorization[0] != '\0' && used < room)
                used += (size_t)snprintf(ret_head + used, room - used,
                        "Proxy-Authorization: %s\r\n", proxy_authorization);
        for (size_t i = 0; i < request->header_count && used < room; i++) {
                const RequestHeader *header = &request->headers[i];

                if (is_passed_on(request, header->name))
                        used += (size_t)snprintf(ret_head + used, room - used, "%.*s: %.*s\r\n",
                                (int)header->name.size, header->name.data, (int)header->value.size,
                                header->value.data);
        }
        if (used < room)
                used += (size_t)snprintf(ret_head + used, room - used, "\r\n");
        return used < room ? used : 0;
}
