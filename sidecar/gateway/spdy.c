/* SPDX-License-Identifier: Apache-2.0 */

/*
 * draft-mbelshe-httpbis-spdy-00, sections 2.2 to 2.6, and the Kubernetes subset of it
 * (docs/formats/exec.md).
 *
 * The headers of a connection's SYN_STREAMs are one zlib stream with a dictionary that both sides
 * know. What we send has no headers, so we need no compressor: a stored block of the four bytes "no
 * headers" is valid deflate wherever it stands.
 */
#include "sidecar/gateway/spdy.h"

#define ZLIB_CONST /* what zlib reads is const then */

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CONTROL_BIT 0x80U
#define VERSION 3U
#define FLAG_FINAL 1U
#define TYPE_REPLY 2U
#define OPEN_HEADERS_AT 10U /* stream, associated stream, priority, slot */
#define BLOCK_SIZE_MAX 4096U
#define DICTIONARY_SIZE 1423U

typedef enum ReaderState { READER_HEADER, READER_CONTROL, READER_DATA } ReaderState;

struct SpdyReader {
        ReaderState state;
        uint8_t header[SPDY_FRAME_HEADER_SIZE];
        size_t have;   /* bytes of header or control */
        uint32_t left; /* of a data frame */
        uint8_t control[SPDY_CONTROL_SIZE_MAX];
        z_stream inflater;
};

/* The dictionary is these names, each behind its length in four bytes, ... */
static const char *const dictionary_words[] = {
        "options",
        "head",
        "post",
        "put",
        "delete",
        "trace",
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "age",
        "allow",
        "authorization",
        "cache-control",
        "connection",
        "content-base",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "date",
        "etag",
        "expect",
        "expires",
        "from",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "location",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "range",
        "referer",
        "retry-after",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
        "warning",
        "www-authenticate",
        "method",
        "get",
        "status",
        "200 OK",
        "version",
        "HTTP/1.1",
        "url",
        "public",
        "set-cookie",
        "keep-alive",
        "origin",
};

/* ... and this. */
static const char dictionary_rest[] =
        "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
        "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
        "Unauthorized"
        "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service "
        "Unavailable"
        "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, "
        "Sun, GMT"
        "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/"
        "xhtml+xml,text/plain,"
        "text/"
        "javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,"
        "enq=0.";

static void put32(uint8_t *to, uint32_t value) {
        to[0] = (uint8_t)(value >> 24);
        to[1] = (uint8_t)(value >> 16);
        to[2] = (uint8_t)(value >> 8);
        to[3] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *from) {
        return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static uint32_t get24(const uint8_t *from) {
        return (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
}

static uint32_t get31(const uint8_t *from) {
        return get32(from) & 0x7fffffffU;
}

/* --- headers --- */

static int give_dictionary(z_stream *inflater) {
        uint8_t dictionary[DICTIONARY_SIZE];
        size_t at = 0;

        for (size_t i = 0; i < sizeof(dictionary_words) / sizeof(*dictionary_words); i++) {
                size_t size = strlen(dictionary_words[i]);

                put32(dictionary + at, (uint32_t)size);
                memcpy(dictionary + at + 4, dictionary_words[i], size);
                at += 4 + size;
        }
        memcpy(dictionary + at, dictionary_rest, sizeof(dictionary_rest) - 1);
        return inflateSetDictionary(inflater, dictionary, DICTIONARY_SIZE);
}

static int inflate_block(SpdyReader *reader, const uint8_t *data, size_t size, uint8_t *block,
        size_t *ret_size, Error *error) {
        z_stream *inflater = &reader->inflater;
        int r;

        inflater->next_in = data;
        inflater->avail_in = (uInt)size;
        inflater->next_out = block;
        inflater->avail_out = BLOCK_SIZE_MAX;
        r = inflate(inflater, Z_SYNC_FLUSH);
        if (r == Z_NEED_DICT && give_dictionary(inflater) == Z_OK)
                r = inflate(inflater, Z_SYNC_FLUSH);
        if ((r != Z_OK && r != Z_BUF_ERROR) || inflater->avail_in > 0 || inflater->avail_out == 0)
                return error_set(error, ERROR_PEER, 0,
                        "the headers of a SPDY stream cannot be read, or are too long");
        *ret_size = BLOCK_SIZE_MAX - inflater->avail_out;
        return 0;
}

typedef struct Text {
        const uint8_t *data;
        size_t size;
} Text;

static bool next_text(Text *block, Text *ret_text) {
        uint32_t size;

        if (block->size < 4)
                return false;
        size = get32(block->data);
        if (size > block->size - 4)
                return false;
        *ret_text = (Text){ block->data + 4, size };
        block->data += 4 + size;
        block->size -= 4 + size;
        return true;
}

static void keep(
        const Text *name, const Text *value, const char *wanted, char kept[static SPDY_VALUE_MAX]) {
        size_t size = value->size < SPDY_VALUE_MAX ? value->size : SPDY_VALUE_MAX - 1;

        if (name->size != strlen(wanted) || memcmp(name->data, wanted, name->size) != 0)
                return;
        memcpy(kept, value->data, size);
        kept[size] = '\0';
}

static int read_headers(Text block, SpdyFrame *frame, Error *error) {
        uint32_t count = block.size >= 4 ? get32(block.data) : UINT32_MAX;

        block.data += 4;
        block.size -= 4;
        for (uint32_t i = 0; i < count; i++) {
                Text name, value;

                if (!next_text(&block, &name) || !next_text(&block, &value))
                        return error_set(
                                error, ERROR_PEER, 0, "the headers of a SPDY stream are cut off");
                keep(&name, &value, "streamtype", frame->stream_type);
                keep(&name, &value, "port", frame->port);
                keep(&name, &value, "requestid", frame->request);
        }
        return 0;
}

static int read_open(SpdyReader *reader, size_t size, SpdyFrame *frame, Error *error) {
        uint8_t block[BLOCK_SIZE_MAX];
        size_t block_size = 0;

        if (size < OPEN_HEADERS_AT)
                return error_set(error, ERROR_PEER, 0, "a SPDY frame is cut off");
        frame->id = get31(reader->control);
        if (inflate_block(reader, reader->control + OPEN_HEADERS_AT, size - OPEN_HEADERS_AT, block,
                    &block_size, error) < 0)
                return -1;
        if (block_size < 4)
                return error_set(error, ERROR_PEER, 0, "the headers of a SPDY stream are cut off");
        return read_headers((Text){ block, block_size }, frame, error);
}

/* --- frames --- */

static int read_control(SpdyReader *reader, SpdyFrame *ret_frame, Error *error) {
        size_t size = get24(reader->header + 5);
        SpdyFrame frame = { .type = SPDY_OTHER, .final = (reader->header[4] & FLAG_FINAL) != 0 };
        unsigned type = (unsigned)reader->header[2] << 8 | reader->header[3];
        int r = 0;

        if (type == SPDY_OPEN || type == SPDY_RESET || type == SPDY_PING)
                frame.type = (SpdyType)type;
        if (frame.type == SPDY_OPEN)
                r = read_open(reader, size, &frame, error);
        else if (frame.type != SPDY_OTHER && size < 4)
                r = error_set(error, ERROR_PEER, 0, "a SPDY frame is cut off");
        else if (frame.type == SPDY_RESET)
                frame.id = get31(reader->control);
        else if (frame.type == SPDY_PING)
                frame.id = get32(reader->control);
        *ret_frame = frame;
        return r < 0 ? -1 : 1;
}

/* The header is whole. */
static int begin_frame(SpdyReader *reader, Error *error) {
        uint32_t size = get24(reader->header + 5);

        reader->have = 0;
        if ((reader->header[0] & CONTROL_BIT) == 0) {
                reader->state = READER_DATA;
                reader->left = size;
                return 0;
        }
        if ((reader->header[0] & ~CONTROL_BIT) != 0 || reader->header[1] != VERSION)
                return error_set(error, ERROR_PEER, 0, "a frame that is not SPDY/3");
        if (size > SPDY_CONTROL_SIZE_MAX)
                return error_set(error, ERROR_PEER, 0, "a SPDY control frame of %u bytes", size);
        reader->state = READER_CONTROL;
        return 0;
}

static void take_bytes(
        SpdyReader *reader, uint8_t *to, size_t wanted, const uint8_t **data, size_t *size) {
        size_t part = wanted - reader->have < *size ? wanted - reader->have : *size;

        memcpy(to + reader->have, *data, part);
        reader->have += part;
        *data += part;
        *size -= part;
}

static void take_data(
        SpdyReader *reader, const uint8_t **data, size_t *size, SpdyFrame *ret_frame) {
        size_t part = reader->left < *size ? reader->left : *size;

        reader->left -= (uint32_t)part;
        *ret_frame = (SpdyFrame){
                .type = SPDY_DATA,
                .id = get31(reader->header),
                .final = reader->left == 0 && (reader->header[4] & FLAG_FINAL) != 0,
                .data = *data,
                .size = part,
        };
        *data += part;
        *size -= part;
        if (reader->left == 0)
                reader->state = READER_HEADER;
}

int spdy_read(SpdyReader *reader, const uint8_t **data, size_t *size, SpdyFrame *ret_frame,
        Error *error) {
        for (;;) {
                if (reader->state == READER_HEADER) {
                        take_bytes(reader, reader->header, SPDY_FRAME_HEADER_SIZE, data, size);
                        if (reader->have < SPDY_FRAME_HEADER_SIZE)
                                return 0;
                        if (begin_frame(reader, error) < 0)
                                return -1;
                }
                if (reader->state == READER_DATA) {
                        if (*size == 0 && reader->left > 0)
                                return 0;
                        take_data(reader, data, size, ret_frame);
                        return 1;
                }
                take_bytes(reader, reader->control, get24(reader->header + 5), data, size);
                if (reader->have < get24(reader->header + 5))
                        return 0;
                reader->state = READER_HEADER;
                reader->have = 0;
                return read_control(reader, ret_frame, error);
        }
}

SpdyReader *spdy_reader_new(void) {
        SpdyReader *reader = calloc(1, sizeof(*reader));

        if (reader != NULL && inflateInit(&reader->inflater) != Z_OK) {
                free(reader);
                return NULL;
        }
        return reader;
}

SpdyReader *spdy_reader_free(SpdyReader *reader) {
        if (reader == NULL)
                return NULL;
        (void)inflateEnd(&reader->inflater);
        free(reader);
        return NULL;
}

void spdy_data_header(
        uint8_t header[static SPDY_FRAME_HEADER_SIZE], uint32_t stream, size_t size, bool final) {
        put32(header, stream);
        put32(header + 4, (final ? FLAG_FINAL : 0) << 24 | (uint32_t)size);
}

static size_t control_frame(
        uint8_t *frame, unsigned type, uint32_t id, const uint8_t *more, size_t more_size) {
        put32(frame, CONTROL_BIT << 24 | VERSION << 16 | type);
        put32(frame + 4, (uint32_t)(4 + more_size));
        put32(frame + 8, id);
        if (more_size > 0)
                memcpy(frame + 12, more, more_size);
        return 12 + more_size;
}

size_t spdy_reply(uint8_t frame[static SPDY_REPLY_SIZE_MAX], uint32_t stream, bool first) {
        /* The head of a zlib stream; a stored block: its size, that inverted, and a count of no
         * headers; an empty one, at which Go's reader stops instead of asking for more. */
        static const uint8_t no_headers[] = { 0x78, 0x01, 0x00, 0x04, 0x00, 0xfb, 0xff, 0, 0, 0, 0,
                0x00, 0x00, 0x00, 0xff, 0xff };

        return control_frame(frame, TYPE_REPLY, stream, no_headers + (first ? 0 : 2),
                sizeof(no_headers) - (first ? 0 : 2));
}

size_t spdy_ping(uint8_t frame[static SPDY_REPLY_SIZE_MAX], uint32_t id) {
        return control_frame(frame, SPDY_PING, id, NULL, 0);
}
