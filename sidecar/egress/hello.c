/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A ClientHello is one handshake message carried by one or more records, so there are two nested
 * lengths to follow. Flight takes the record headers out and leaves the message contiguous; Reader
 * then walks the message with every length checked against what is left.
 *
 * A Reader that fails stays failed and returns zeros: the parser asks once at its end.
 */
#include "sidecar/egress/hello.h"

#include <string.h>

#define RECORD_HEADER_SIZE 5U
#define RECORD_SIZE_MAX 16384U /* RFC 8446 5.1: 2^14 */
#define MESSAGE_HEADER_SIZE 4U
#define CLIENT_HELLO 1U
#define RANDOM_SIZE 32U
#define SESSION_ID_MAX 32U
#define EXTENSION_SERVER_NAME 0U
#define EXTENSION_ENCRYPTED_HELLO 0xfe0dU
#define NAME_TYPE_HOST 0U

typedef struct Reader {
        const uint8_t *data;
        size_t left;
        bool failed;
} Reader;

static Reader take(Reader *reader, size_t size) {
        Reader part = { .data = reader->data, .left = size, .failed = reader->failed };

        if (reader->failed || size > reader->left) {
                reader->failed = true;
                return (Reader){ .failed = true };
        }
        reader->data += size;
        reader->left -= size;
        return part;
}

static size_t number(Reader *reader, size_t size) {
        Reader bytes = take(reader, size);
        size_t value = 0;

        while (!bytes.failed && bytes.left > 0) {
                value = value << 8 | *bytes.data++;
                bytes.left--;
        }
        return value;
}

/* A vector: its length in `size` bytes, then that many. */
static Reader vector(Reader *reader, size_t size) {
        size_t length = number(reader, size);

        return take(reader, length);
}

static int bad(Error *error, const char *what) {
        return error_set(error, ERROR_PEER, 0, "the TLS ClientHello is malformed: %s", what);
}

/* Copies the handshake bytes of the records in `data` to `message`. Returns the size of the message
 * and *ret_size bytes of it that are there, or an outcome. */
static int collect(const uint8_t *data, size_t size, uint8_t message[static HELLO_SIZE_MAX],
        size_t *ret_size, Error *error) {
        size_t have = 0, want = MESSAGE_HEADER_SIZE;

        while (have < want) {
                size_t length, here;

                if (size > 0 && data[0] != HELLO_CONTENT_TYPE)
                        return bad(error, "a record that is not a handshake's in its middle");
                if (size > 1 && data[1] != 3)
                        return bad(error, "no version of TLS");
                if (size < RECORD_HEADER_SIZE)
                        return HELLO_INCOMPLETE;
                length = (size_t)data[3] << 8 | data[4];
                if (length == 0 || length > RECORD_SIZE_MAX)
                        return bad(error, "a record of a length that TLS does not have");
                data += RECORD_HEADER_SIZE;
                size -= RECORD_HEADER_SIZE;

                here = length < size ? length : size;
                if (here > HELLO_SIZE_MAX - have)
                        return bad(error, "too long");
                memcpy(message + have, data, here);
                have += here;
                if (have > 0 && message[0] != CLIENT_HELLO)
                        return bad(error, "another message comes first");
                if (have >= MESSAGE_HEADER_SIZE)
                        want = MESSAGE_HEADER_SIZE +
                               ((size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3]);
                if (want > HELLO_SIZE_MAX)
                        return bad(error, "too long");
                if (have < want && here < length)
                        return HELLO_INCOMPLETE;
                if (have > want)
                        return bad(error, "bytes behind it in its record");
                data += here;
                size -= here;
        }
        *ret_size = want;
        return 0;
}

static bool is_name_byte(uint8_t byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
               byte == '.' || byte == '_';
}

static bool read_server_name(Reader extension, Hello *hello) {
        Reader list = vector(&extension, 2);
        size_t type = number(&list, 1);
        Reader name = vector(&list, 2);

        /* Exactly one name: RFC 6066 permits no second of a type, and no other type was ever
         * defined. */
        if (extension.failed || extension.left > 0 || list.failed || list.left > 0 || name.failed ||
                type != NAME_TYPE_HOST)
                return false;
        if (name.left == 0 || name.left >= sizeof(hello->server_name))
                return false;
        for (size_t i = 0; i < name.left; i++) {
                uint8_t byte = name.data[i];

                if (byte >= 'A' && byte <= 'Z')
                        byte = (uint8_t)(byte - 'A' + 'a');
                if (!is_name_byte(byte))
                        return false;
                hello->server_name[i] = (char)byte;
        }
        hello->server_name[name.left] = '\0';
        return true;
}

static int read_extensions(Reader extensions, Hello *hello, Error *error) {
        while (extensions.left > 0 && !extensions.failed) {
                size_t type = number(&extensions, 2);
                Reader extension = vector(&extensions, 2);

                if (extension.failed)
                        break;
                if (type == EXTENSION_SERVER_NAME) {
                        if (hello->server_name[0] != '\0')
                                return bad(error, "two server names");
                        if (!read_server_name(extension, hello))
                                return bad(error, "its server name is not one host name");
                }
                if (type == EXTENSION_ENCRYPTED_HELLO)
                        hello->encrypted = true;
        }
        return extensions.failed ? bad(error, "an extension is longer than the rest") : 0;
}

static int read_message(Reader message, Hello *ret_hello, Error *error) {
        Reader session_id, ciphers, compressions, extensions;
        Hello hello = { 0 };

        (void)take(&message, MESSAGE_HEADER_SIZE);
        if (number(&message, 2) >> 8 != 3)
                return bad(error, "no version of TLS");
        (void)take(&message, RANDOM_SIZE);
        session_id = vector(&message, 1);
        ciphers = vector(&message, 2);
        compressions = vector(&message, 1);
        if (message.failed || session_id.left > SESSION_ID_MAX || ciphers.left < 2 ||
                ciphers.left % 2 != 0 || compressions.left < 1)
                return bad(error, "a field is longer than the rest");

        /* TLS 1.2 and older permit a hello without any extension: then there is no name either. */
        if (message.left > 0) {
                extensions = vector(&message, 2);
                if (message.failed || message.left > 0)
                        return bad(error, "its extensions do not end where it ends");
                if (read_extensions(extensions, &hello, error) < 0)
                        return -1;
        }
        *ret_hello = hello;
        return 0;
}

int hello_parse(const uint8_t *data, size_t size, Hello *ret_hello, Error *error) {
        uint8_t message[HELLO_SIZE_MAX];
        size_t message_size = 0;
        int r;

        if (size == 0)
                return HELLO_INCOMPLETE;
        if (data[0] != HELLO_CONTENT_TYPE)
                return HELLO_NOT_TLS;
        r = collect(data, size, message, &message_size, error);
        if (r == HELLO_INCOMPLETE && size >= HELLO_SIZE_MAX)
                return bad(error, "too long");
        if (r != 0)
                return r;
        return read_message((Reader){ .data = message, .left = message_size }, ret_hello, error);
}
