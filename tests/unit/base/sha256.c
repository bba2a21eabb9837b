/* SPDX-License-Identifier: Apache-2.0 */

/* Vectors of FIPS 180-4's examples, and the edges of the padding, fed in pieces. */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const void *data, size_t size, const char *text) {
        uint8_t digest[SHA256_SIZE];
        char got[SHA256_TEXT_SIZE];

        sha256(data, size, digest);
        sha256_text(digest, got);
        assert_string_equal(got, text);
}

static void known_vectors(void **state) {
        static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

        expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        expect(two_blocks, strlen(two_blocks), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void million(void **state) {
        uint8_t digest[SHA256_SIZE];
        char piece[999], got[SHA256_TEXT_SIZE];
        Sha256 hash;

        memset(piece, 'a', sizeof(piece));
        sha256_begin(&hash);
        for (size_t left = 1000000; left > 0;) {
                size_t n = left < sizeof(piece) ? left : sizeof(piece);

                sha256_add(&hash, piece, n);
                left -= n;
        }
        sha256_end(&hash, digest);
        sha256_text(digest, got);
        assert_string_equal(got, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_vectors),
                cmocka_unit_test(million),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
