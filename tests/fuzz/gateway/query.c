/* SPDX-License-Identifier: Apache-2.0 */

/* The query of an exec: whatever is taken keeps the bounds that the launcher was promised. */
#include "sidecar/gateway/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t check_list(const char *const *list, size_t most) {
        size_t bytes = 0;
        size_t count = 0;

        for (; list[count] != NULL; count++) {
                assert(strlen(list[count]) <= WIRE_ARGUMENT_SIZE_MAX);
                bytes += strlen(list[count]) + 1;
        }
        assert(count <= most);
        return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup(exec_request_freep) ExecRequest *request = NULL;
        cleanup_free char *text = malloc(size + 1);
        Error error;

        memcpy(text, data, size);
        text[size] = '\0';
        if (exec_request_new(text, &request, &error) < 0) {
                assert(error.kind == ERROR_INPUT || error.kind == ERROR_LIMIT);
                return 0;
        }
        assert(request->start.arguments[0] != NULL && request->start.arguments[0][0] != '\0');
        assert(check_list(request->start.arguments, WIRE_ARGUMENTS_MAX) +
                        check_list(request->start.environment, WIRE_ENVIRONMENT_MAX) <=
                WIRE_TEXT_MAX);
        assert(request->timeout_seconds <= EXEC_TIMEOUT_MAX);
        return 0;
}
