/* SPDX-License-Identifier: Apache-2.0 */

#include "base/arena.h"

#include "tests/helpers/unit.h"

#include <stdint.h>
#include <string.h>

static void gives_zeroed_aligned_memory(void **state) {
        cleanup(arena_freep) Arena *arena = arena_new(1024 * 1024);

        for (size_t size = 0; size < 5000; size += 37) {
                unsigned char *data = arena_alloc(arena, size);

                assert_non_null(data);
                assert_int_equal((uintptr_t)data % _Alignof(max_align_t), 0);
                for (size_t i = 0; i < size; i++)
                        assert_int_equal(data[i], 0);
                memset(data, 0xff, size); /* what another allocation would see, if they met */
        }
}

static void keeps_its_limit(void **state) {
        cleanup(arena_freep) Arena *arena = arena_new(100000);
        size_t given = 0;

        while (arena_alloc(arena, 1000) != NULL) {
                given += 1000;
                assert_true(arena_used(arena) <= 100000);
        }
        assert_true(given > 80000); /* most of it is usable */
        assert_null(arena_alloc(arena, 1000));
}

static void refuses_what_cannot_be(void **state) {
        cleanup(arena_freep) Arena *arena = arena_new(100000);

        assert_null(arena_alloc(arena, 100001));
        assert_null(arena_alloc(arena, SIZE_MAX));
        assert_null(arena_alloc(arena, SIZE_MAX - 4));
        assert_null(arena_array(arena, SIZE_MAX / 2, 4));
        assert_null(arena_text(arena, "x", SIZE_MAX));
        assert_non_null(arena_alloc(arena, 50000));
}

static void copies_text(void **state) {
        cleanup(arena_freep) Arena *arena = arena_new(100000);

        assert_string_equal(arena_text(arena, "hello world", 5), "hello");
        assert_string_equal(arena_text(arena, "", 0), "");
}

static void freeing_nothing_is_fine(void **state) {
        assert_null(arena_free(NULL));
        assert_null(arena_free(arena_new(0)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(gives_zeroed_aligned_memory),
                cmocka_unit_test(keeps_its_limit),
                cmocka_unit_test(refuses_what_cannot_be),
                cmocka_unit_test(copies_text),
                cmocka_unit_test(freeing_nothing_is_fine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
