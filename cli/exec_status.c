/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/exec_status.h"

#include "base/number.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(json_t *object, const char *name) {
        const char *text = json_string_value(json_object_get(object, name));

        return text != NULL ? text : "";
}

static int find_exit_code(json_t *status) {
        json_t *cause;
        size_t i;

        json_array_foreach(
                json_object_get(json_object_get(status, "details"), "causes"), i, cause) {
                const char *message = text_of(cause, "message");
                uint64_t code;

                if (strcmp(text_of(cause, "reason"), "ExitCode") == 0 &&
                        number_parse(message, strlen(message), UINT8_MAX, &code))
                        return (int)code;
        }
        return -1;
}

int exec_status_read(const char *json, size_t size, char *ret_message, size_t message_size) {
        json_t *status = json_loadb(json, size, 0, NULL);
        int code = strcmp(text_of(status, "status"), "Success") == 0 ? 0 : find_exit_code(status);

        if (code < 0)
                (void)snprintf(ret_message, message_size, "%.*s",
                        status != NULL ? (int)message_size
                                       : (int)(size < message_size ? size : message_size - 1),
                        status != NULL ? text_of(status, "message") : json);
        json_decref(status);
        return code;
}
