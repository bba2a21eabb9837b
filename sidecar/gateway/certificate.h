/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificate: one of our own, for an endpoint that nobody gave one. It encrypts; who wants to know
 * whom he speaks to comes through the API server, or gives the endpoint a certificate he trusts.
 */
#include <stddef.h>

#include "base/error.h"

/* A new key and a certificate signed by it for `name`, localhost and 127.0.0.1, as PEM text: what
 * tls_new() takes. Both are malloc'ed. */
int certificate_make(const char *name, char **ret_certificate, size_t *ret_certificate_size,
        char **ret_key, size_t *ret_key_size, Error *error);
