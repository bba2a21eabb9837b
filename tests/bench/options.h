/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is measured, how often and how many at a time. All strings are the program's arguments. */
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_PARALLEL_MAX 64U
#define OPTIONS_COUNT_MAX 1000000U

typedef struct Kind Kind;
typedef struct ssl_ctx_st TransportTrust; /* OpenSSL's */

typedef struct Options {
        const Kind *kind;
        uint32_t count, parallel;
        const char *socket;      /* path of the unix socket of gateway or ssh; NULL: TLS */
        uint16_t port;           /* of 127.0.0.1 */
        const char *certificate; /* file: the certificate that the gateway shows */
        const char *token;       /* file: the bearer token */
        TransportTrust
                *trust; /* made of the certificate once, before the first run; NULL until then */
        const char *pod;
        bool login;
        char **arguments; /* ends with NULL, never empty */
} Options;

/* 0, or -1 with *error. */
int options_parse(int argc, char **argv, Options *ret_options, Error *error);
