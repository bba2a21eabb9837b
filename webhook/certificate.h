/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificate: tls.crt and tls.key of a directory whose owner may replace them while we run (the
 * kubelet does when the Secret changes). The directory is kept open: after confinement there is no
 * other.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"

typedef struct Tls Tls;

typedef struct Certificate {
        int directory;               /* owned */
        uint8_t digest[SHA256_SIZE]; /* of what was loaded last */
} Certificate;

#define CERTIFICATE_NONE                                                                           \
        { .directory = -1 }

int certificate_open(const char *directory, Certificate *ret_certificate, Error *error);
void certificate_close(Certificate *certificate);

/* 1: *ret_tls is new; 0: the files are as they were; -1: they cannot be read, or do not fit
 * together.
 */
int certificate_load(Certificate *certificate, Tls **ret_tls, Error *error);
