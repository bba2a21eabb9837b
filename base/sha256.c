/* SPDX-License-Identifier: Apache-2.0 */

/* The algorithm as FIPS 180-4 section 6.2 writes it; the constants are those of its section 4.2.2. */
#include "base/sha256.h"

#include <string.h>

#define BLOCK_SIZE 64U
#define ROUNDS 64U

static const uint32_t round_constants[ROUNDS] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t word, unsigned bits) {
        return word >> bits | word << (32U - bits);
}

static void expand(const uint8_t *block, uint32_t schedule[static ROUNDS]) {
        for (unsigned i = 0; i < 16; i++)
                schedule[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16
                        | (uint32_t)block[4 * i + 2] << 8 | (uint32_t)block[4 * i + 3];
        for (unsigned i = 16; i < ROUNDS; i++) {
                uint32_t low = schedule[i - 15];
                uint32_t high = schedule[i - 2];

                schedule[i] = schedule[i - 16] + schedule[i - 7]
                        + (rotate_right(low, 7) ^ rotate_right(low, 18) ^ low >> 3)
                        + (rotate_right(high, 17) ^ rotate_right(high, 19) ^ high >> 10);
        }
}

static void compress(uint32_t state[static 8], const uint8_t *block) {
        uint32_t schedule[ROUNDS];
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

        expand(block, schedule);
        for (unsigned i = 0; i < ROUNDS; i++) {
                uint32_t choice = (e & f) ^ (~e & g);
                uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
                uint32_t one = h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + choice
                        + round_constants[i] + schedule[i];
                uint32_t two = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) + majority;

                h = g, g = f, f = e, e = d + one;
                d = c, c = b, b = a, a = one + two;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_begin(Sha256 *hash) {
        *hash = (Sha256) {
                .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 },
        };
}

void sha256_add(Sha256 *hash, const void *data, size_t size) {
        const uint8_t *bytes = data;

        while (size > 0) {
                size_t used = hash->size % BLOCK_SIZE;
                size_t n = BLOCK_SIZE - used < size ? BLOCK_SIZE - used : size;

                memcpy(hash->block + used, bytes, n);
                hash->size += n;
                bytes += n;
                size -= n;
                if (hash->size % BLOCK_SIZE == 0)
                        compress(hash->state, hash->block);
        }
}

void sha256_end(Sha256 *hash, uint8_t ret_digest[static SHA256_SIZE]) {
        static const uint8_t padding[BLOCK_SIZE] = { 0x80 };
        uint64_t bits = hash->size * 8;
        uint8_t length[8];

        for (unsigned i = 0; i < sizeof(length); i++)
                length[i] = (uint8_t)(bits >> (56 - 8 * i));
        sha256_add(hash, padding, 1);
        sha256_add(hash, padding + 1, (BLOCK_SIZE + 56 - hash->size % BLOCK_SIZE) % BLOCK_SIZE);
        sha256_add(hash, length, sizeof(length));
        for (unsigned i = 0; i < SHA256_SIZE; i++)
                ret_digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256(const void *data, size_t size, uint8_t ret_digest[static SHA256_SIZE]) {
        Sha256 hash;

        sha256_begin(&hash);
        sha256_add(&hash, data, size);
        sha256_end(&hash, ret_digest);
}

void sha256_text(const uint8_t digest[static SHA256_SIZE], char ret_text[static SHA256_TEXT_SIZE]) {
        static const char digits[] = "0123456789abcdef";

        for (unsigned i = 0; i < SHA256_SIZE; i++) {
                ret_text[2 * i] = digits[digest[i] >> 4];
                ret_text[2 * i + 1] = digits[digest[i] & 0xf];
        }
        ret_text[SHA256_TEXT_SIZE - 1] = '\0';
}
