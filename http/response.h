/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Response: HTTP answers as bytes. */
#include <stdbool.h>

struct evbuffer;

typedef struct Response {
        unsigned code;
        const char *type;   /* of the body */
        const char *body;   /* text */
        const char *fields; /* more header lines, each with its CR LF; "" for none */
        bool close;         /* the connection ends with it */
} Response;

/* 0, or -1: no memory. */
int response_write(struct evbuffer *output, const Response *response);
