/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Request: what a client asks of the explicit proxy: a tunnel (CONNECT) or one plain HTTP request
 * (absolute form). Pure.
 *
 * Strict, because two readers of one head must never understand two things: line ends are CRLF, a
 * header stands on one line, there is one Host and it is the host of the target, a body has one
 * Content-Length. What is passed on is written anew from what was understood.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sidecar/egress/destination.h"

#define REQUEST_HEAD_MAX 8192U /* bytes; more is 431 */
#define REQUEST_HEADERS_MAX 100U

#define REQUEST_INCOMPLETE 1 /* an outcome: ask again with more bytes */

typedef enum RequestForm {
        REQUEST_TUNNEL = 1, /* CONNECT host:port */
        REQUEST_FORWARD,    /* GET http://host/path */
} RequestForm;

typedef struct RequestText {
        const char *data; /* borrowed from the head */
        size_t size;
} RequestText;

typedef struct RequestHeader {
        RequestText name, value;
} RequestHeader;

typedef struct Request {
        RequestForm form;
        Destination destination;
        size_t head_size;   /* bytes of the head, the empty line included */
        uint64_t body_size; /* bytes that follow it; 0 for a tunnel */
        RequestText method,
                path; /* of a FORWARD; path has the query; "" and "?query" get a '/' in front */
        RequestHeader headers[REQUEST_HEADERS_MAX];
        size_t header_count;
} Request;

/*
 * Reads the head at the beginning of `data`. 0; REQUEST_INCOMPLETE; or -1 with *ret_status (400,
 * 405, 411, 431, 501, 505) and a sentence for the client. *ret_request borrows from data.
 */
int request_parse(
        const char *data, size_t size, Request *ret_request, unsigned *ret_status, Error *error);

/* Writes the head of a FORWARD anew, without what concerns only the connection it came by: for the
 * origin server (path only) when proxy_authorization is NULL, else for another proxy (absolute
 * form, and that credential when it is not ""). Returns its size; room for REQUEST_FORWARD_MAX
 * always suffices. */
#define REQUEST_FORWARD_MAX (REQUEST_HEAD_MAX + 1536U)
size_t request_write_forward(
        const Request *request, const char *proxy_authorization, char *ret_head, size_t room);
