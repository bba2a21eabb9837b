/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/status.h"

#include "base/number.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
        const char *text = json_string_value(json_object_get(object, key));

        return text != NULL ? text : "";
}

static int exit_code_of(const json_t *status) {
        const json_t *causes = json_object_get(json_object_get(status, "details"), "causes");
        uint64_t code;

        if (strcmp(text_of(status, "status"), "Success") == 0)
                return 0;
        if (strcmp(text_of(status, "reason"), "NonZeroExitCode") != 0)
                return -1;
        for (size_t i = 0; i < json_array_size(causes); i++) {
                const json_t *cause = json_array_get(causes, i);
                const char *message = text_of(cause, "message");

                if (strcmp(text_of(cause, "reason"), "ExitCode") == 0 &&
                        number_parse(message, strlen(message), 255, &code))
                        return (int)code;
        }
        return -1;
}

int remote_status_parse(const char *text, size_t size, RemoteStatus *ret_status, Error *error) {
        json_t *status = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

        if (!json_is_object(status) || text_of(status, "status")[0] == '\0') {
                json_decref(status);
                return error_set(error, ERROR_PEER, 0, "the answer is no Kubernetes Status");
        }
        ret_status->exit_code = exit_code_of(status);
        (void)snprintf(
                ret_status->message, sizeof(ret_status->message), "%s", text_of(status, "message"));
        json_decref(status);
        return 0;
}
