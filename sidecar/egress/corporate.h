/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Corporate: the proxy that stands between the pod's network and the world, where there is one. It
 * is the sidecar's own setting (HTTPS_PROXY, HTTP_PROXY, NO_PROXY of its container); nothing inside
 * the sandbox sees or changes it.
 *
 * Through such a proxy we do not learn the addresses: it resolves. The policy still decides by
 * name, and literal addresses are still judged by class. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/egress/destination.h"

#define CORPORATE_CREDENTIALS_SIZE 512U
#define CORPORATE_HEAD_MAX 2048U /* of what we send, and of its answer 8192 */
#define CORPORATE_ANSWER_MAX 8192U

typedef struct CorporateProxy {
        bool present;
        Destination address;
        char authorization[CORPORATE_CREDENTIALS_SIZE]; /* "Basic ..."; "" = none */
} CorporateProxy;

typedef struct Corporate {
        CorporateProxy tunnel;  /* HTTPS_PROXY: everything but plain HTTP requests */
        CorporateProxy forward; /* HTTP_PROXY */
        char *exceptions;       /* NO_PROXY; owned */
} Corporate;

/* NULL or "" = not set. A proxy that is no http://[user:password@]host[:port] is refused: going
 * direct by mistake could pass a control that somebody relies on. */
int corporate_parse(const char *https_proxy, const char *http_proxy, const char *no_proxy,
        Corporate *ret_corporate, Error *error);
void corporate_done(Corporate *corporate);

/* NULL: connect directly. */
const CorporateProxy *corporate_choose(
        const Corporate *corporate, const Destination *destination, bool forward);

/* The head of a CONNECT. Returns its size. */
size_t corporate_write_connect(const CorporateProxy *proxy, const Destination *destination,
        char ret_head[static CORPORATE_HEAD_MAX]);

#define CORPORATE_INCOMPLETE 1
/* Reads the answer: 0 with its size for a tunnel that stands, an outcome, or -1 with ERROR_PEER. */
int corporate_read_answer(const char *data, size_t size, size_t *ret_size, Error *error);
