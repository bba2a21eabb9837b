/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/corporate.h"

#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PROXY_PORT 3128U
#define SCHEME "http://"

static size_t base64(const char *text, size_t size, char *ret_text) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t used = 0;

        for (size_t i = 0; i < size; i += 3) {
                const size_t left = size - i;
                unsigned bits = (unsigned)(unsigned char)text[i] << 16;

                if (left > 1)
                        bits |= (unsigned)(unsigned char)text[i + 1] << 8;
                if (left > 2)
                        bits |= (unsigned char)text[i + 2];
                ret_text[used++] = digits[bits >> 18];
                ret_text[used++] = digits[bits >> 12 & 63];
                ret_text[used++] = left > 1 ? digits[bits >> 6 & 63] : '=';
                ret_text[used++] = left > 2 ? digits[bits & 63] : '=';
        }
        ret_text[used] = '\0';
        return used;
}

static int hexadecimal(char byte) {
        if (byte >= '0' && byte <= '9')
                return byte - '0';
        byte = (char)(byte | 0x20);
        return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* "user:password" with %XX undone. */
static bool decode(const char *text, size_t size, char *ret_text, size_t room, size_t *ret_size) {
        size_t used = 0;

        for (size_t i = 0; i < size && used < room; i++) {
                if (text[i] != '%') {
                        ret_text[used++] = text[i];
                        continue;
                }
                if (size - i < 3 || hexadecimal(text[i + 1]) < 0 || hexadecimal(text[i + 2]) < 0)
                        return false;
                ret_text[used++] = (char)(hexadecimal(text[i + 1]) << 4 | hexadecimal(text[i + 2]));
                i += 2;
        }
        *ret_size = used;
        return used < room;
}

static int parse_proxy(
        const char *text, const char *variable, CorporateProxy *ret_proxy, Error *error) {
        char credentials[256];
        const char *host, *at;
        size_t size = 0;

        if (text == NULL || text[0] == '\0')
                return 0;
        /* The value may hold a password, so it is not repeated. */
        if (strncasecmp(text, SCHEME, strlen(SCHEME)) != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "%s does not begin with 'http://': other ways to a proxy are not spoken "
                        "here",
                        variable);
        host = text + strlen(SCHEME);
        at = strrchr(host, '@');
        if (at != NULL) {
                if (!decode(host, (size_t)(at - host), credentials, sizeof(credentials), &size))
                        return error_set(error, ERROR_INPUT, 0,
                                "the user of %s is too long or badly escaped", variable);
                memcpy(ret_proxy->authorization, "Basic ", 6);
                (void)base64(credentials, size, ret_proxy->authorization + 6);
                host = at + 1;
        }
        size = strcspn(host, "/");
        if (host[size] == '/' && host[size + 1] != '\0')
                return error_set(
                        error, ERROR_INPUT, 0, "%s has a path, which a proxy has not", variable);
        if (destination_parse(host, size, DEFAULT_PROXY_PORT, &ret_proxy->address, error) < 0)
                return error_context(error, "%s", variable);
        ret_proxy->present = true;
        return 0;
}

int corporate_parse(const char *https_proxy, const char *http_proxy, const char *no_proxy,
        Corporate *ret_corporate, Error *error) {
        Corporate corporate = { 0 };

        if (parse_proxy(https_proxy, "HTTPS_PROXY", &corporate.tunnel, error) < 0 ||
                parse_proxy(http_proxy, "HTTP_PROXY", &corporate.forward, error) < 0)
                return -1;
        corporate.exceptions = strdup(no_proxy != NULL ? no_proxy : "");
        if (corporate.exceptions == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "NO_PROXY");
        *ret_corporate = corporate;
        return 0;
}

void corporate_done(Corporate *corporate) {
        free(corporate->exceptions);
        corporate->exceptions = NULL;
}

/* One item of NO_PROXY: "*", a name (and all below it, with or without a leading dot), an address,
 * or a range; ":port" may follow a name. */
static bool item_matches(const char *item, size_t size, const Destination *destination) {
        char text[HOST_SIZE];
        AddressRange range;
        const char *host = destination->host;
        const size_t host_size = strlen(host);
        bool host_bits;
        char *colon;
        uint64_t port;

        if (size == 0 || size >= sizeof(text))
                return false;
        memcpy(text, item, size);
        text[size] = '\0';
        if (strcmp(text, "*") == 0)
                return true;
        if (address_range_parse(text, &range, &host_bits))
                return destination->literal &&
                       address_range_contains(&range, &destination->address);
        colon = strrchr(text, ':');
        if (colon != NULL) {
                if (!number_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &port) ||
                        port != destination->port)
                        return false;
                *colon = '\0';
        }
        item = text[0] == '*' && text[1] == '.' ? text + 2 : text[0] == '.' ? text + 1 : text;
        size = strlen(item);
        if (size == 0 || size > host_size || strcasecmp(host + host_size - size, item) != 0)
                return false;
        return size == host_size || host[host_size - size - 1] == '.';
}

static bool is_exception(const Corporate *corporate, const Destination *destination) {
        for (const char *at = corporate->exceptions; *at != '\0';) {
                const size_t size = strcspn(at, ", ");

                if (item_matches(at, size, destination))
                        return true;
                at += size;
                at += strspn(at, ", ");
        }
        return false;
}

const CorporateProxy *corporate_choose(
        const Corporate *corporate, const Destination *destination, bool forward) {
        const CorporateProxy *proxy = forward ? &corporate->forward : &corporate->tunnel;

        return proxy->present && !is_exception(corporate, destination) ? proxy : NULL;
}

size_t corporate_write_connect(const CorporateProxy *proxy, const Destination *destination,
        char ret_head[static CORPORATE_HEAD_MAX]) {
        const bool known = proxy->authorization[0] != '\0';
        char authority[DESTINATION_TEXT_SIZE];

        destination_format(destination, 0, authority);
        return (size_t)snprintf(ret_head, CORPORATE_HEAD_MAX,
                "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", authority, authority,
                known ? "Proxy-Authorization: " : "", known ? proxy->authorization : "",
                known ? "\r\n" : "");
}

int corporate_read_answer(const char *data, size_t size, size_t *ret_size, Error *error) {
        const char *end = memmem(
                data, size < CORPORATE_ANSWER_MAX ? size : CORPORATE_ANSWER_MAX, "\r\n\r\n", 4);
        static const char start[] = "HTTP/1.";

        if (end == NULL && size >= CORPORATE_ANSWER_MAX)
                return error_set(error, ERROR_PEER, 0,
                        "the network's proxy answers with more than 8192 bytes of head");
        if (end == NULL)
                return CORPORATE_INCOMPLETE;
        if (size < 12 || memcmp(data, start, strlen(start)) != 0 || data[8] != ' ')
                return error_set(
                        error, ERROR_PEER, 0, "the network's proxy does not answer in HTTP/1");
        if (data[9] != '2')
                return error_set(error, ERROR_PEER, 0, "the network's proxy refuses: '%.*s'",
                        (int)strcspn(data + 9, "\r\n"), data + 9);
        *ret_size = (size_t)(end - data) + 4;
        return 0;
}
