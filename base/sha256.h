/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* SHA-256 (FIPS 180-4), for naming bytes: a policy's text, an argument list too long for its audit line. Not for secrets. */
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32U
#define SHA256_TEXT_SIZE 65U /* 64 hexadecimal digits and NUL */

typedef struct Sha256 {
        uint32_t state[8];
        uint64_t size;
        uint8_t block[64];
} Sha256;

void sha256_begin(Sha256 *hash);
void sha256_add(Sha256 *hash, const void *data, size_t size);
void sha256_end(Sha256 *hash, uint8_t ret_digest[static SHA256_SIZE]);

void sha256(const void *data, size_t size, uint8_t ret_digest[static SHA256_SIZE]);
void sha256_text(const uint8_t digest[static SHA256_SIZE], char ret_text[static SHA256_TEXT_SIZE]);
