/* SPDX-License-Identifier: Apache-2.0 */

#include "base/pack.h"

#include "tests/helpers/unit.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = { "one", "", "three", NULL };

static void write_all(Packer *packer) {
        pack_u8(packer, 0xab);
        pack_u16(packer, 0x1234);
        pack_u32(packer, 0xdeadbeef);
        pack_u64(packer, UINT64_MAX - 1);
        pack_bytes(packer, "a\0b", 3);
        pack_string(packer, "text");
        pack_string(packer, NULL);
        pack_strings(packer, words);
}

static void read_all(Unpacker *fields) {
        const char *const *list;
        const char **read;
        uint32_t count = 0;
        size_t size;

        assert_int_equal(unpack_u8(fields), 0xab);
        assert_int_equal(unpack_u16(fields), 0x1234);
        assert_int_equal(unpack_u32(fields), 0xdeadbeef);
        assert_true(unpack_u64(fields) == UINT64_MAX - 1);
        assert_memory_equal(unpack_bytes(fields, &size), "a\0b", 3);
        assert_int_equal(size, 3);
        assert_string_equal(unpack_string(fields), "text");
        assert_string_equal(unpack_string(fields), "");
        read = unpack_strings(fields, 3, &count);
        assert_non_null(read);
        assert_int_equal(count, 3);
        list = (const char *const *)read;
        for (size_t i = 0; words[i] != NULL; i++)
                assert_string_equal(list[i], words[i]);
        assert_null(list[3]);
        free(read);
        assert_true(unpack_end(fields));
}

static void reads_what_was_written(void **state) {
        Packer packer = packer_growing(4096);
        Unpacker fields;

        write_all(&packer);
        assert_false(packer.failed);
        fields = unpacker(packer.data, packer.size);
        read_all(&fields);
        packer_done(&packer);
}

/* Every prefix of a record is refused, and reading it touches nothing outside (the sanitizers watch
 * the copy). */
static void refuses_every_prefix(void **state) {
        Packer packer = packer_growing(4096);

        write_all(&packer);
        for (size_t size = 0; size < packer.size; size++) {
                uint8_t *copy = malloc(size + 1);
                Unpacker fields;
                size_t ignored;

                assert_non_null(copy);
                memcpy(copy, packer.data, size);
                copy = realloc(copy, size > 0 ? size : 1);
                fields = unpacker(copy, size);
                (void)unpack_u8(&fields);
                (void)unpack_u16(&fields);
                (void)unpack_u32(&fields);
                (void)unpack_u64(&fields);
                (void)unpack_bytes(&fields, &ignored);
                assert_non_null(unpack_string(&fields));
                assert_non_null(unpack_string(&fields));
                free(unpack_strings(&fields, 3, NULL));
                assert_false(unpack_end(&fields));
                free(copy);
        }
        packer_done(&packer);
}

static void fits_or_fails(void **state) {
        uint8_t room[8];
        Packer packer = packer_in(room, sizeof(room));

        pack_u64(&packer, 1);
        assert_false(packer.failed);
        pack_u8(&packer, 1);
        assert_true(packer.failed);
        assert_int_equal(packer.size, 8);
        pack_u8(&packer, 1); /* errors stick */
        assert_int_equal(packer.size, 8);

        packer = packer_growing(6);
        pack_u32(&packer, 1);
        pack_u32(&packer, 1);
        assert_true(packer.failed);
        packer_done(&packer);
}

static Unpacker fields_of(Packer *packer, void (*write)(Packer *)) {
        write(packer);
        return unpacker(packer->data, packer->size);
}

static void write_nul_inside(Packer *packer) {
        pack_bytes(packer, "a\0b", 3);
        pack_u8(packer, 0);
}

static void write_without_nul(Packer *packer) {
        pack_bytes(packer, "abc", 3);
        pack_u8(packer, 'd');
}

static void write_many(Packer *packer) {
        pack_u32(packer, 0xffffffff);
        pack_u8(packer, 1);
}

static void believes_no_length(void **state) {
        uint8_t room[64];
        Packer packer = packer_in(room, sizeof(room));
        Unpacker fields = fields_of(&packer, write_nul_inside);
        size_t size = 7;

        assert_string_equal(unpack_string(&fields), "");
        assert_true(fields.failed);
        packer = packer_in(room, sizeof(room));
        fields = fields_of(&packer, write_without_nul);
        assert_string_equal(unpack_string(&fields), "");
        assert_true(fields.failed);
        packer = packer_in(room, sizeof(room));
        fields = fields_of(&packer, write_many);
        assert_int_equal(unpack_count(&fields, UINT32_MAX), 0);
        assert_true(fields.failed);
        fields = unpacker(packer.data, packer.size);
        (void)unpack_bytes(&fields, &size);
        assert_int_equal(size, 0);
        assert_true(fields.failed);
        fields = unpacker(packer.data, packer.size);
        assert_null(unpack_strings(&fields, 10, NULL));
}

static void wants_every_byte_read(void **state) {
        Unpacker fields = unpacker("\1\2", 2);

        assert_int_equal(unpack_u8(&fields), 1);
        assert_false(unpack_end(&fields));
        assert_int_equal(unpack_u8(&fields), 2);
        assert_true(unpack_end(&fields));
        assert_int_equal(unpack_u8(&fields), 0);
        assert_false(unpack_end(&fields));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_what_was_written),
                cmocka_unit_test(refuses_every_prefix),
                cmocka_unit_test(fits_or_fails),
                cmocka_unit_test(believes_no_length),
                cmocka_unit_test(wants_every_byte_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
