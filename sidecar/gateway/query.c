/* SPDX-License-Identifier: Apache-2.0 */

/* The decoded text is never longer than the sent one, so one copy is decoded in place and cut into
 * pairs. */
#include "sidecar/gateway/query.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Decodes a NUL-ended string in place. */
static int decode(char *text, Error *error) {
        char *to = text;

        for (const char *from = text; *from != '\0'; from++) {
                int high, low;

                if (*from == '+') {
                        *to++ = ' ';
                        continue;
                }
                if (*from != '%') {
                        *to++ = *from;
                        continue;
                }
                high = hex_digit(from[1]);
                low = high < 0 ? -1 : hex_digit(from[2]);
                if (low < 0)
                        return error_set(error, ERROR_INPUT, 0,
                                "the query has a '%%' without two hexadecimal digits");
                if (high == 0 && low == 0)
                        return error_set(
                                error, ERROR_INPUT, 0, "the query has a NUL byte (%%00) in it");
                *to++ = (char)(high * 16 + low);
                from += 2;
        }
        *to = '\0';
        return 0;
}

static int decode_pair(char *text, QueryPair *ret_pair, Error *error) {
        char *equals = strchr(text, '=');
        char *value = equals != NULL ? equals + 1 : text + strlen(text);

        if (equals != NULL)
                *equals = '\0';
        if (decode(text, error) < 0 || (equals != NULL && decode(value, error) < 0))
                return -1;
        *ret_pair = (QueryPair){ text, equals != NULL ? value : "" };
        return 0;
}

static size_t count_pairs(const char *text) {
        size_t count = 1;

        for (; *text != '\0'; text++)
                count += *text == '&';
        return count;
}

int query_parse(const char *text, Query *ret_query, Error *error) {
        size_t most = count_pairs(text);
        cleanup_free char *copy = NULL;
        cleanup_free QueryPair *pairs = NULL;
        size_t count = 0;
        char *rest;

        if (most > QUERY_PAIRS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "the query has more than %u parameters",
                        QUERY_PAIRS_MAX);
        copy = strdup(text);
        pairs = calloc(most, sizeof(*pairs));
        if (copy == NULL || pairs == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the query");

        rest = copy;
        for (char *item = strsep(&rest, "&"); item != NULL; item = strsep(&rest, "&")) {
                if (*item == '\0')
                        continue;
                if (decode_pair(item, &pairs[count], error) < 0)
                        return -1;
                count++;
        }
        *ret_query = (Query){ take_ptr(pairs), count, take_ptr(copy) };
        return 0;
}

void query_done(Query *query) {
        free(query->pairs);
        free(query->text);
        *query = (Query){ 0 };
}
