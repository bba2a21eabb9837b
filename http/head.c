/* SPDX-License-Identifier: Apache-2.0 */

/*
 * http-parser does the tokens; this file owns the strings, the bounds and what the library is too
 * lenient about (distributions build it without its strict mode). It is the only one that knows the
 * library, which upstream no longer maintains.
 *
 * Names, values and target lie behind one another in one growing buffer, as offsets until the head
 * is whole.
 */
#include "http/head.h"

#include <http_parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The line breaks, method and version around target and fields. */
#define HEAD_SIZE_MAX (HEAD_TARGET_MAX + HEAD_FIELDS_SIZE_MAX + 4096U)

/* What on_headers_complete returns so that the library's message ends with the head. */
#define SKIP_BODY 1

typedef enum HeadPart { PART_NOTHING, PART_TARGET, PART_NAME, PART_VALUE } HeadPart;

struct HeadReader {
        http_parser parser;
        Head head;
        size_t body_max;
        HeadPart part; /* what the last callback added to */
        bool whole;
        char previous; /* the last byte taken */
        char *text;
        size_t size, room;
        size_t fields_size;
        size_t target_at;
        struct {
                size_t name, value;
        } at[HEAD_FIELDS_MAX];
        Error error; /* of the first callback that refused */
};

/* Fields of which a second one is a request that two readers could read differently. */
static const char *const single_fields[] = {
        "host",
        "authorization",
        "content-length",
        "origin",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
};

static HeadReader *reader_of(http_parser *parser) {
        return parser->data;
}

static int append(HeadReader *reader, const char *data, size_t size) {
        if (reader->size + size > reader->room) {
                size_t room = reader->room > 0 ? reader->room : 1024;
                char *grown;

                while (room < reader->size + size)
                        room *= 2;
                grown = realloc(reader->text, room);
                if (grown == NULL)
                        return error_set(
                                &reader->error, ERROR_LIMIT, 0, "no memory for the request's head");
                reader->text = grown;
                reader->room = room;
        }
        memcpy(reader->text + reader->size, data, size);
        reader->size += size;
        return 0;
}

/* Every string is ended when the next one begins. */
static int begin_part(HeadReader *reader, HeadPart part, size_t *ret_at) {
        if (reader->part != PART_NOTHING && append(reader, "", 1) < 0)
                return -1;
        reader->part = part;
        *ret_at = reader->size;
        return 0;
}

static int on_target(http_parser *parser, const char *data, size_t size) {
        HeadReader *reader = reader_of(parser);

        if (reader->part != PART_TARGET && begin_part(reader, PART_TARGET, &reader->target_at) < 0)
                return -1;
        if (reader->size + size > HEAD_TARGET_MAX)
                return error_set(&reader->error, ERROR_LIMIT, 0,
                        "the request's path and query are longer than %u bytes", HEAD_TARGET_MAX);
        return append(reader, data, size);
}

static int count_field_bytes(HeadReader *reader, size_t size) {
        reader->fields_size += size;
        if (reader->fields_size > HEAD_FIELDS_SIZE_MAX)
                return error_set(&reader->error, ERROR_LIMIT, 0,
                        "the request's header fields take more than %u bytes",
                        HEAD_FIELDS_SIZE_MAX);
        return 0;
}

static int on_name(http_parser *parser, const char *data, size_t size) {
        HeadReader *reader = reader_of(parser);
        size_t from;

        if (reader->part != PART_NAME) {
                if (reader->head.field_count == HEAD_FIELDS_MAX)
                        return error_set(&reader->error, ERROR_LIMIT, 0,
                                "the request has more than %u header fields", HEAD_FIELDS_MAX);
                if (begin_part(reader, PART_NAME, &reader->at[reader->head.field_count].name) < 0)
                        return -1;
                reader->head.field_count++;
        }
        if (memchr(data, ' ', size) != NULL)
                return error_set(
                        &reader->error, ERROR_INPUT, 0, "a header field's name has a blank in it");
        from = reader->size;
        if (count_field_bytes(reader, size) < 0 || append(reader, data, size) < 0)
                return -1;
        for (size_t i = from; i < reader->size; i++)
                if (reader->text[i] >= 'A' && reader->text[i] <= 'Z')
                        reader->text[i] = (char)(reader->text[i] - 'A' + 'a');
        return 0;
}

static int on_value(http_parser *parser, const char *data, size_t size) {
        HeadReader *reader = reader_of(parser);

        if (reader->part != PART_VALUE &&
                begin_part(reader, PART_VALUE, &reader->at[reader->head.field_count - 1].value) < 0)
                return -1;
        if (count_field_bytes(reader, size) < 0)
                return -1;
        return append(reader, data, size);
}

static int check_single_fields(HeadReader *reader) {
        const Head *head = &reader->head;

        for (size_t i = 0; i < sizeof(single_fields) / sizeof(*single_fields); i++) {
                size_t count = 0;

                for (size_t k = 0; k < head->field_count; k++)
                        if (strcmp(head->fields[k].name, single_fields[i]) == 0)
                                count++;
                if (count > 1)
                        return error_set(&reader->error, ERROR_INPUT, 0,
                                "the header field '%s' came twice", single_fields[i]);
        }
        return 0;
}

/* The library has read the number, and refused one that is none. */
static int check_body(HeadReader *reader) {
        bool announced = head_field(&reader->head, "content-length") != NULL;
        uint64_t size = announced ? reader->parser.content_length : 0;

        if (reader->body_max == 0 &&
                (size > 0 || head_field(&reader->head, "transfer-encoding") != NULL))
                return error_set(&reader->error, ERROR_INPUT, 0, "requests here have no body");
        if (head_field(&reader->head, "transfer-encoding") != NULL)
                return error_set(&reader->error, ERROR_INPUT, 0,
                        "a request's body comes with a Content-Length here, not in chunks");
        if (size > reader->body_max)
                return error_set(&reader->error, ERROR_LIMIT, 0,
                        "the request's body is longer than %zu bytes", reader->body_max);
        reader->head.body_size = (size_t)size;
        return 0;
}

static int check_version(HeadReader *reader) {
        const http_parser *parser = &reader->parser;

        if (parser->http_major != 1 || parser->http_minor > 1)
                return error_set(&reader->error, ERROR_INPUT, 0,
                        "HTTP %u.%u is not spoken here, HTTP/1.1 is", (unsigned)parser->http_major,
                        (unsigned)parser->http_minor);
        if (parser->http_minor == 1 && head_field(&reader->head, "host") == NULL)
                return error_set(
                        &reader->error, ERROR_INPUT, 0, "the header field 'Host' is missing");
        return 0;
}

static HeadMethod method_of(const http_parser *parser) {
        if (parser->method == HTTP_GET)
                return HEAD_GET;
        return parser->method == HTTP_POST ? HEAD_POST : HEAD_OTHER;
}

static int on_fields_end(http_parser *parser) {
        HeadReader *reader = reader_of(parser);
        Head *head = &reader->head;

        if (append(reader, "", 1) < 0)
                return -1;
        head->target = reader->text + reader->target_at;
        for (size_t i = 0; i < head->field_count; i++) {
                head->fields[i].name = reader->text + reader->at[i].name;
                head->fields[i].value = reader->text + reader->at[i].value;
        }
        head->method = method_of(parser);
        head->keep_alive = http_should_keep_alive(parser) != 0;
        if (check_single_fields(reader) < 0 || check_body(reader) < 0 || check_version(reader) < 0)
                return -1;
        return SKIP_BODY;
}

static int on_end(http_parser *parser) {
        reader_of(parser)->whole = true;
        http_parser_pause(parser, 1); /* what follows is the next request or another protocol */
        return 0;
}

static const http_parser_settings settings = {
        .on_url = on_target,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_fields_end,
        .on_message_complete = on_end,
};

HeadReader *head_reader_new(size_t body_max) {
        HeadReader *reader = calloc(1, sizeof(*reader));

        if (reader == NULL)
                return NULL;
        /* A setting of the whole library, always to the same value. */
        http_parser_set_max_header_size(HEAD_SIZE_MAX);
        http_parser_init(&reader->parser, HTTP_REQUEST);
        reader->parser.data = reader;
        reader->body_max = body_max;
        return reader;
}

HeadReader *head_reader_free(HeadReader *reader) {
        if (reader == NULL)
                return NULL;
        free(reader->text);
        free(reader);
        return NULL;
}

/* Over the bytes the parser took: line ends that others would read differently. */
static int check_lines(HeadReader *reader, const char *data, size_t size, Error *error) {
        for (size_t i = 0; i < size; i++) {
                char before = reader->previous;

                reader->previous = data[i];
                if (data[i] == '\n' && before != '\r')
                        return error_set(error, ERROR_INPUT, 0,
                                "a line of the request's head does not end with CR LF");
                if ((data[i] == ' ' || data[i] == '\t') && before == '\n')
                        return error_set(
                                error, ERROR_INPUT, 0, "a header field is folded over two lines");
                if (data[i] == '\0')
                        return error_set(
                                error, ERROR_INPUT, 0, "the request's head has a NUL byte in it");
        }
        return 0;
}

int head_reader_feed(
        HeadReader *reader, const char *data, size_t size, size_t *ret_used, Error *error) {
        size_t used = http_parser_execute(&reader->parser, &settings, data, size);
        enum http_errno problem = HTTP_PARSER_ERRNO(&reader->parser);

        if (reader->error.kind != 0) {
                *error = reader->error;
                return -1;
        }
        if (problem == HPE_HEADER_OVERFLOW)
                return error_set(error, ERROR_LIMIT, 0, "the request's head is too large");
        if (problem != HPE_OK && problem != HPE_PAUSED)
                return error_set(error, ERROR_INPUT, 0, "this is not an HTTP/1 request: %s",
                        http_errno_description(problem));
        if (check_lines(reader, data, used, error) < 0)
                return -1;
        *ret_used = used;
        return reader->whole ? 1 : 0;
}

const Head *head_reader_head(const HeadReader *reader) {
        return &reader->head;
}

const char *head_field(const Head *head, const char *name) {
        for (size_t i = 0; i < head->field_count; i++)
                if (strcmp(head->fields[i].name, name) == 0)
                        return head->fields[i].value;
        return NULL;
}

static bool list_has(const char *list, const char *token) {
        size_t size = strlen(token);

        while (*list != '\0') {
                size_t skip = strspn(list, " \t,");
                size_t item = strcspn(list + skip, " \t,");

                if (item == size && strncasecmp(list + skip, token, size) == 0)
                        return true;
                list += skip + item;
        }
        return false;
}

bool head_field_has(const Head *head, const char *name, const char *token) {
        for (size_t i = 0; i < head->field_count; i++)
                if (strcmp(head->fields[i].name, name) == 0 &&
                        list_has(head->fields[i].value, token))
                        return true;
        return false;
}
