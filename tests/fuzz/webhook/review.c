/* SPDX-License-Identifier: Apache-2.0 */

/* A review from anybody: what is answered is an answer to it, and says whether there is a patch. */
#include "webhook/review.h"

#include "webhook/settings.h"

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char settings_text[] =
        "{\"sidecar\": {\"name\": \"navigator\"}, \"volumes\": [{\"name\": \"v\"}], "
        "\"proxyVariables\": [{\"name\": \"HTTP_PROXY\", \"value\": \"p\"}], "
        "\"userNamespaces\": true, \"defaultContainer\": true}";

static void check(const ReviewAnswer *answer) {
        json_t *document = json_loads(answer->json, JSON_REJECT_DUPLICATES, NULL);
        json_t *response = json_object_get(document, "response");

        assert(json_is_string(json_object_get(response, "uid")));
        assert(json_is_boolean(json_object_get(response, "allowed")));
        assert((json_object_get(response, "patch") != NULL) == answer->patched);
        assert(json_is_true(json_object_get(response, "allowed")) ||
                json_is_object(json_object_get(response, "status")));
        json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup(settings_freep) Settings *settings = NULL;
        ReviewAnswer answer;
        Error error = { 0 };
        int r = settings_parse(settings_text, strlen(settings_text), &settings, &error);

        assert(r == 0);
        if (review_answer(settings, (const char *)data, size, &answer, &error) < 0) {
                assert(error.kind == ERROR_INPUT || error.kind == ERROR_LIMIT);
                return 0;
        }
        check(&answer);
        free(answer.json);
        return 0;
}
