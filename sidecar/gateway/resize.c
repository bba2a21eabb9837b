/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/resize.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

static int dimension(json_t *object, const char *name, uint16_t *ret_value, Error *error) {
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value) {
                if (strcasecmp(key, name) != 0)
                        continue;
                if (!json_is_integer(value) || json_integer_value(value) < 0 ||
                        json_integer_value(value) > UINT16_MAX)
                        break;
                *ret_value = (uint16_t)json_integer_value(value);
                return 0;
        }
        return error_set(
                error, ERROR_PEER, 0, "a resize message without a %s from 0 to 65535", name);
}

static int parse_one(const char *text, size_t size, size_t *ret_used, uint16_t *columns,
        uint16_t *rows, Error *error) {
        json_error_t problem;
        json_t *object = json_loadb(text, size, JSON_DISABLE_EOF_CHECK, &problem);
        int r = -1;

        if (object == NULL || !json_is_object(object))
                (void)error_set(error, ERROR_PEER, 0, "a resize message that is no JSON object");
        else if (dimension(object, "width", columns, error) == 0 &&
                 dimension(object, "height", rows, error) == 0)
                r = 0;
        json_decref(object);
        *ret_used = (size_t)problem.position;
        return r;
}

int resize_parse(
        const char *text, size_t size, uint16_t *ret_columns, uint16_t *ret_rows, Error *error) {
        uint16_t columns = 0;
        uint16_t rows = 0;
        size_t at = 0;

        do {
                size_t used = 0;

                if (parse_one(text + at, size - at, &used, &columns, &rows, error) < 0)
                        return -1;
                at += used;
                while (at < size && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
                        at++;
        } while (at < size);
        *ret_columns = columns;
        *ret_rows = rows;
        return 0;
}
