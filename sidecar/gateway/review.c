/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/review.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *document_free(json_t *document) {
        json_decref(document);
        return NULL;
}
DEFINE_CLEANUP(json_t *, document_free);

static char *write_text(json_t *document) {
        char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;

        json_decref(document);
        return text;
}

char *review_token_question(const char *token, size_t size, const char *audience) {
        return write_text(json_pack("{s:s, s:s, s:{s:s%, s:[s]}}", "apiVersion",
                "authentication.k8s.io/v1", "kind", "TokenReview", "spec", "token", token, size,
                "audiences", audience));
}

/* Of an answer of this kind, or NULL. */
static json_t *find_status(json_t *document, const char *kind) {
        const char *found = json_string_value(json_object_get(document, "kind"));
        json_t *status = json_object_get(document, "status");

        return found != NULL && strcmp(found, kind) == 0 && json_is_object(status) ? status : NULL;
}

static bool names_audience(json_t *audiences, const char *audience) {
        json_t *entry;
        size_t i;

        json_array_foreach(audiences, i,
                entry) if (json_is_string(entry) &&
                           strcmp(json_string_value(entry), audience) == 0) return true;
        return false;
}

int review_token_answer(const char *json, const char *audience,
        char ret_name[static REVIEW_NAME_MAX], Error *error) {
        cleanup(document_freep) json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
        json_t *status = find_status(document, "TokenReview");
        const char *name;
        int r;

        if (status == NULL)
                return error_set(
                        error, ERROR_PEER, 0, "the API server did not answer a TokenReview");
        if (!json_is_true(json_object_get(status, "authenticated")))
                return 0;
        /* An API server that knows no audiences leaves the list out: its tokens are everybody's. */
        if (!names_audience(json_object_get(status, "audiences"), audience))
                return 0;
        name = json_string_value(json_object_get(json_object_get(status, "user"), "username"));
        if (name == NULL || name[0] == '\0')
                return 0;
        r = snprintf(ret_name, REVIEW_NAME_MAX, "%s", name);
        return r > 0 && (size_t)r < REVIEW_NAME_MAX ? 1 : 0;
}

/* Copies a member that is there: an absent group list must not become an empty one of another type.
 */
static int copy_member(json_t *from, const char *name, json_t *to, const char *as) {
        json_t *value = json_object_get(from, name);

        return value == NULL || json_is_null(value) ? 0 : json_object_set(to, as, value);
}

char *review_access_question(const char *token_answer, const ReviewAccess *access) {
        cleanup(document_freep) json_t *answer =
                json_loads(token_answer, JSON_REJECT_DUPLICATES, NULL);
        json_t *user = json_object_get(find_status(answer, "TokenReview"), "user");
        json_t *spec = json_pack("{s:{s:s, s:s, s:s, s:s, s:s}}", "resourceAttributes", "group",
                "navigator.sandbox", "resource", "sessions", "verb", access->verb, "namespace",
                access->pod_namespace, "name", access->pod);

        if (user == NULL || spec == NULL || copy_member(user, "username", spec, "user") < 0 ||
                copy_member(user, "uid", spec, "uid") < 0 ||
                copy_member(user, "groups", spec, "groups") < 0 ||
                copy_member(user, "extra", spec, "extra") < 0) {
                json_decref(spec);
                return NULL;
        }
        return write_text(json_pack("{s:s, s:s, s:o}", "apiVersion", "authorization.k8s.io/v1",
                "kind", "SubjectAccessReview", "spec", spec));
}

int review_access_answer(const char *json, Error *error) {
        cleanup(document_freep) json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
        json_t *status = find_status(document, "SubjectAccessReview");

        if (status == NULL)
                return error_set(error, ERROR_PEER, 0,
                        "the API server did not answer a SubjectAccessReview");
        return json_is_true(json_object_get(status, "allowed")) &&
                               !json_is_true(json_object_get(status, "denied"))
                       ? 1
                       : 0;
}
