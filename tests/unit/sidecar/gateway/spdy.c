/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/spdy.h"

#include "tests/helpers/unit.h"

#include <string.h>
#include <zlib.h>

/* What kubectl 1.32 sends for one connection to port 43851: the error stream, its end, the data
 * stream, "hello". */
static const uint8_t kubectl[] = {
        0x80,
        0x03,
        0x00,
        0x01,
        0x00,
        0x00,
        0x00,
        0x40,
        0x00,
        0x00,
        0x00,
        0x01,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x78,
        0xf9,
        0xe3,
        0xc6,
        0xa7,
        0xc2,
        0x02,
        0x25,
        0x3a,
        0x70,
        0x3a,
        0x2b,
        0x29,
        0x4a,
        0x4d,
        0xcc,
        0x85,
        0x16,
        0x25,
        0xac,
        0xa9,
        0xa0,
        0x80,
        0x86,
        0x14,
        0xcb,
        0x45,
        0xa0,
        0x24,
        0xcc,
        0x6a,
        0x62,
        0x68,
        0x6e,
        0x61,
        0xce,
        0xc0,
        0xc0,
        0xc0,
        0x59,
        0x04,
        0x89,
        0xc7,
        0x4c,
        0x50,
        0xfa,
        0x66,
        0x34,
        0x00,
        0x00,
        0x00,
        0x00,
        0xff,
        0xff,
        0x00,
        0x00,
        0x00,
        0x01,
        0x01,
        0x00,
        0x00,
        0x00,
        0x80,
        0x03,
        0x00,
        0x01,
        0x00,
        0x00,
        0x00,
        0x18,
        0x00,
        0x00,
        0x00,
        0x03,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0xc2,
        0xaa,
        0x1b,
        0x54,
        0x10,
        0x25,
        0x12,
        0xa1,
        0x19,
        0x00,
        0x00,
        0x00,
        0xff,
        0xff,
        0x00,
        0x00,
        0x00,
        0x03,
        0x00,
        0x00,
        0x00,
        0x05,
        0x68,
        0x65,
        0x6c,
        0x6c,
        0x6f,
};

#define FRAMES_MAX 32U

typedef struct Seen {
        SpdyFrame frames[FRAMES_MAX];
        size_t count;
        char data[64]; /* of all data frames */
        size_t data_size;
        Error error;
} Seen;

/* 0, or what spdy_read() failed with. */
static int feed(SpdyReader *reader, const uint8_t *bytes, size_t size, size_t piece, Seen *seen) {
        int r = 0;

        for (size_t at = 0; at < size && r >= 0; at += piece) {
                const uint8_t *data = bytes + at;
                size_t left = size - at < piece ? size - at : piece;
                SpdyFrame frame;

                while ((r = spdy_read(reader, &data, &left, &frame, &seen->error)) > 0) {
                        if (frame.type == SPDY_DATA && frame.size > 0) {
                                memcpy(seen->data + seen->data_size, frame.data, frame.size);
                                seen->data_size += frame.size;
                        }
                        if (frame.type != SPDY_DATA || frame.final)
                                seen->frames[seen->count++] = frame;
                }
        }
        return r;
}

static void test_kubectl(void **state) {
        for (size_t piece = 1; piece <= sizeof(kubectl); piece++) {
                cleanup(spdy_reader_freep) SpdyReader *reader = spdy_reader_new();
                Seen seen = { 0 };

                assert_int_equal(feed(reader, kubectl, sizeof(kubectl), piece, &seen), 0);
                assert_int_equal(seen.count, 3);
                assert_int_equal(seen.frames[0].type, SPDY_OPEN);
                assert_int_equal(seen.frames[0].id, 1);
                assert_string_equal(seen.frames[0].stream_type, "error");
                assert_string_equal(seen.frames[0].request, "0");
                assert_int_equal(seen.frames[1].type, SPDY_DATA);
                assert_int_equal(seen.frames[1].id, 1);
                assert_true(seen.frames[1].final);
                assert_int_equal(seen.frames[2].type, SPDY_OPEN);
                assert_int_equal(seen.frames[2].id, 3);
                assert_string_equal(seen.frames[2].stream_type, "data");
                assert_string_equal(seen.frames[2].port, "41787");
                assert_memory_equal(seen.data, "hello", 5);
                assert_int_equal(seen.data_size, 5);
        }
}

static void test_others(void **state) {
        static const uint8_t bytes[] = {
                0x80, 3, 0, 6, 0, 0, 0, 4, 0x80, 0, 0, 9,          /* PING */
                0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 5, /* RST_STREAM */
                0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0,             /* SETTINGS */
                0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, /* GOAWAY */
                0x80, 3, 0, 9, 0, 0, 0, 0, /* WINDOW_UPDATE, of no size: ignored all the same */
        };
        cleanup(spdy_reader_freep) SpdyReader *reader = spdy_reader_new();
        Seen seen = { 0 };

        assert_int_equal(feed(reader, bytes, sizeof(bytes), 5, &seen), 0);
        assert_int_equal(seen.count, 5);
        assert_int_equal(seen.frames[0].type, SPDY_PING);
        assert_int_equal(seen.frames[0].id, 0x80000009U);
        assert_int_equal(seen.frames[1].type, SPDY_RESET);
        assert_int_equal(seen.frames[1].id, 3);
        for (size_t i = 2; i < 5; i++)
                assert_int_equal(seen.frames[i].type, SPDY_OTHER);
}

static const struct {
        const char *says;
        size_t size;
        uint8_t bytes[40];
} bad[] = {
        { "not SPDY/3", 8, { 0x80, 2, 0, 1, 0, 0, 0, 12 } },
        { "not SPDY/3", 8, { 0x81, 3, 0, 1, 0, 0, 0, 12 } },
        { "4097 bytes", 8, { 0x80, 3, 0, 1, 0, 0, 0x10, 1 } },
        { "cut off", 12, { 0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1 } },
        { "cut off", 8, { 0x80, 3, 0, 6, 0, 0, 0, 0 } },
        { "cut off", 18, { 0x80, 3, 0, 1, 0, 0, 0, 10, 0, 0, 0, 1 } },
        { "cannot be read", 20,
                { 0x80, 3, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff } },
        /* a count of headers that are not there */
        { "cut off", 29,
                { 0x80, 3, 0, 1, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x78, 1, 0, 4, 0, 0xfb,
                        0xff, 0, 0, 0, 1 } },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                cleanup(spdy_reader_freep) SpdyReader *reader = spdy_reader_new();
                Seen seen = { 0 };

                assert_int_equal(feed(reader, bad[i].bytes, bad[i].size, 7, &seen), -1);
                assert_int_equal(seen.error.kind, ERROR_PEER);
                if (strstr(seen.error.text, bad[i].says) == NULL)
                        fail_msg("case %zu: %s", i, seen.error.text);
        }
}

/* A few bytes that become a hundred thousand. */
static void test_bomb(void **state) {
        static uint8_t zeros[100000];
        uint8_t bytes[2048] = { 0x80, 3, 0, 1 };
        cleanup(spdy_reader_freep) SpdyReader *reader = spdy_reader_new();
        z_stream deflater = { .next_in = zeros,
                .avail_in = sizeof(zeros),
                .next_out = bytes + 18,
                .avail_out = sizeof(bytes) - 18 };
        Seen seen = { 0 };
        size_t size;

        assert_int_equal(deflateInit(&deflater, 9), Z_OK);
        assert_int_equal(deflate(&deflater, Z_SYNC_FLUSH), Z_OK);
        size = sizeof(bytes) - deflater.avail_out;
        (void)deflateEnd(&deflater);
        bytes[6] = (uint8_t)((size - 8) >> 8);
        bytes[7] = (uint8_t)(size - 8);
        assert_int_equal(feed(reader, bytes, size, size, &seen), -1);
        assert_non_null(strstr(seen.error.text, "too long"));
}

/* Both replies, through a decompressor: no headers. */
static void test_replies(void **state) {
        z_stream inflater = { 0 };

        assert_int_equal(inflateInit(&inflater), Z_OK);
        for (uint32_t stream = 1; stream < 9; stream += 2) {
                uint8_t frame[SPDY_REPLY_SIZE_MAX];
                size_t size = spdy_reply(frame, stream, stream == 1);
                uint8_t block[64];

                assert_memory_equal(frame, "\x80\x03\x00\x02\x00\x00\x00", 7);
                assert_int_equal(frame[7], size - 8);
                assert_int_equal(frame[11], stream);
                inflater.next_in = frame + 12;
                inflater.avail_in = (uInt)(size - 12);
                inflater.next_out = block;
                inflater.avail_out = sizeof(block);
                assert_int_equal(inflate(&inflater, Z_SYNC_FLUSH), Z_OK);
                assert_int_equal(sizeof(block) - inflater.avail_out, 4);
                assert_memory_equal(block, "\0\0\0\0", 4);
        }
        (void)inflateEnd(&inflater);
}

static void test_writers(void **state) {
        uint8_t frame[SPDY_REPLY_SIZE_MAX];

        spdy_data_header(frame, 5, 0x012345, true);
        assert_memory_equal(frame, "\0\0\0\5\1\1\x23\x45", 8);
        assert_int_equal(spdy_ping(frame, 7), 12);
        assert_memory_equal(frame, "\x80\3\0\6\0\0\0\4\0\0\0\7", 12);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kubectl),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_bomb),
                cmocka_unit_test(test_replies),
                cmocka_unit_test(test_writers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
