/* SPDX-License-Identifier: Apache-2.0 */

#include "webhook/review.h"

#include "base/cleanup.h"
#include "webhook/inject.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION "admission.k8s.io/v1"
#define REFUSED 400 /* HTTP's word for it, which the API server hands on */

static json_t *document_free(json_t *document) {
        json_decref(document);
        return NULL;
}
DEFINE_CLEANUP(json_t *, document_free);

/* Before anything is built of it: every value but the first follows one of these. */
static bool has_few_values(const char *json, size_t size) {
        size_t count = 0;
        bool in_string = false;

        for (size_t i = 0; i < size; i++) {
                if (in_string && json[i] == '\\')
                        i++;
                else if (json[i] == '"')
                        in_string = !in_string;
                else if (!in_string && strchr(",:[", json[i]) != NULL && json[i] != '\0')
                        count++;
        }
        return count < REVIEW_VALUES_MAX;
}

static const char *text_of(const json_t *object, const char *key) {
        const char *text = json_string_value(json_object_get(object, key));

        return text != NULL ? text : "";
}

static bool is_pod_creation(const json_t *request) {
        const json_t *kind = json_object_get(request, "kind");

        return strcmp(text_of(kind, "group"), "") == 0 &&
               strcmp(text_of(kind, "version"), "v1") == 0 &&
               strcmp(text_of(kind, "kind"), "Pod") == 0 &&
               strcmp(text_of(request, "subResource"), "") == 0 &&
               strcmp(text_of(request, "operation"), "CREATE") == 0;
}

static void name_subject(const json_t *request, char subject[static REVIEW_SUBJECT_SIZE]) {
        const json_t *metadata = json_object_get(json_object_get(request, "object"), "metadata");
        const char *name = text_of(metadata, "name");

        /* A generated name is made after admission. */
        (void)snprintf(subject, REVIEW_SUBJECT_SIZE, "%s/%s", text_of(request, "namespace"),
                name[0] != '\0' ? name : text_of(metadata, "generateName"));
}

/* The list as the base64 of its text, malloc'ed: the form in which a patch travels. */
static char *encode_patch(const json_t *patch) {
        cleanup_free char *text = json_dumps(patch, JSON_COMPACT);
        size_t size = text != NULL ? strlen(text) : 0;
        char *encoded = text != NULL ? malloc((size + 2) / 3 * 4 + 1) : NULL;

        if (encoded != NULL)
                (void)EVP_EncodeBlock(
                        (unsigned char *)encoded, (const unsigned char *)text, (int)size);
        return encoded;
}

static json_t *admit(const char *uid) {
        return json_pack("{s:s, s:b}", "uid", uid, "allowed", 1);
}

static json_t *admit_patched(const char *uid, const json_t *patch) {
        cleanup_free char *encoded = encode_patch(patch);

        if (encoded == NULL)
                return NULL;
        return json_pack("{s:s, s:b, s:s, s:s}", "uid", uid, "allowed", 1, "patchType", "JSONPatch",
                "patch", encoded);
}

static json_t *refuse(const char *uid, const char *message) {
        return json_pack("{s:s, s:b, s:{s:i, s:s}}", "uid", uid, "allowed", 0, "status", "code",
                REFUSED, "message", message);
}

/* The answer's part that decides; NULL without memory. */
static json_t *decide(const Settings *settings, const json_t *request, bool *ret_patched) {
        cleanup(document_freep) json_t *patch = NULL;
        const char *uid = text_of(request, "uid");
        Error error = { 0 };
        int r;

        if (!is_pod_creation(request))
                return refuse(uid, "Navigator's webhook is for pods that are being created: it was "
                                   "registered for something else");
        r = inject(settings, json_object_get(request, "object"), &patch, &error);
        if (r < 0)
                return refuse(uid, error.text);
        if (r == 0)
                return admit(uid);
        *ret_patched = true;
        return admit_patched(uid, patch);
}

int review_answer(const Settings *settings, const char *json, size_t size, ReviewAnswer *ret_answer,
        Error *error) {
        cleanup(document_freep) json_t *document = NULL;
        const json_t *request;
        ReviewAnswer answer = { 0 };
        json_error_t where;
        json_t *response;

        if (!has_few_values(json, size))
                return error_set(error, ERROR_LIMIT, 0, "the review has more than %u values",
                        REVIEW_VALUES_MAX);
        document = json_loadb(json, size, JSON_REJECT_DUPLICATES, &where);
        if (document == NULL)
                return error_set(error, ERROR_INPUT, 0, "the review is no JSON: line %d: %s",
                        where.line, where.text);
        request = json_object_get(document, "request");
        if (strcmp(text_of(document, "apiVersion"), API_VERSION) != 0 ||
                strcmp(text_of(document, "kind"), "AdmissionReview") != 0 ||
                text_of(request, "uid")[0] == '\0')
                return error_set(error, ERROR_INPUT, 0,
                        "this is no AdmissionReview of " API_VERSION " with a request");
        name_subject(request, answer.subject);
        response = decide(settings, request, &answer.patched);
        response = response == NULL ? NULL
                                    : json_pack("{s:s, s:s, s:o}", "apiVersion", API_VERSION,
                                              "kind", "AdmissionReview", "response", response);
        answer.json = response != NULL ? json_dumps(response, JSON_COMPACT) : NULL;
        json_decref(response);
        if (answer.json == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the answer");
        *ret_answer = answer;
        return 0;
}
