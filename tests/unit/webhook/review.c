/* SPDX-License-Identifier: Apache-2.0 */

#include "webhook/review.h"

#include "tests/helpers/unit.h"
#include "webhook/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POD_KIND "\"kind\": {\"group\": \"\", \"version\": \"v1\", \"kind\": \"Pod\"}, "
#define CREATE "\"operation\": \"CREATE\", \"namespace\": \"here\", "
#define SPEC "\"spec\": {\"containers\": [{\"name\": \"app\"}]}"
#define PLAIN "\"object\": {\"metadata\": {\"name\": \"plain\"}, " SPEC "}"
#define ANNOTATED                                                                                  \
        "\"object\": {\"metadata\": {\"generateName\": \"agent-\", \"annotations\": "              \
        "{\"navigator.sandbox/inject\": \"true\"}}, " SPEC "}"
#define REVIEW(request)                                                                            \
        "{\"apiVersion\": \"admission.k8s.io/v1\", \"kind\": \"AdmissionReview\", \"request\": "   \
        "{" request "}}"

static Settings *settings_new(void) {
        static const char text[] =
                "{\"sidecar\": {\"name\": \"navigator\"}, \"volumes\": [], \"proxyVariables\": [], "
                "\"userNamespaces\": false, \"defaultContainer\": false}";
        Settings *settings = NULL;
        Error error = { 0 };

        assert_int_equal(settings_parse(text, strlen(text), &settings, &error), 0);
        return settings;
}

static int answer(const char *text, ReviewAnswer *ret_answer, Error *error) {
        cleanup(settings_freep) Settings *settings = settings_new();

        return review_answer(settings, text, strlen(text), ret_answer, error);
}

/* The answer's `response`; the document must be released by the caller. */
static json_t *response_of(const char *text, json_t **ret_document, ReviewAnswer *ret_answer) {
        Error error = { 0 };

        if (answer(text, ret_answer, &error) < 0)
                fail_msg("%s", error.text);
        *ret_document = json_loads(ret_answer->json, JSON_REJECT_DUPLICATES, NULL);
        assert_string_equal(
                json_string_value(json_object_get(*ret_document, "kind")), "AdmissionReview");
        assert_string_equal(json_string_value(json_object_get(*ret_document, "apiVersion")),
                "admission.k8s.io/v1");
        free(ret_answer->json);
        return json_object_get(*ret_document, "response");
}

static void test_annotated_pod(void **state) {
        ReviewAnswer found;
        json_t *document,
                *response = response_of(
                        REVIEW("\"uid\": \"u\", " POD_KIND CREATE ANNOTATED), &document, &found);
        const char *patch = json_string_value(json_object_get(response, "patch"));

        assert_true(json_is_true(json_object_get(response, "allowed")));
        assert_string_equal(json_string_value(json_object_get(response, "uid")), "u");
        assert_string_equal(json_string_value(json_object_get(response, "patchType")), "JSONPatch");
        assert_memory_equal(patch, "W3si", 4); /* [{" */
        assert_int_equal(strlen(patch) % 4, 0);
        assert_true(found.patched);
        assert_string_equal(found.subject, "here/agent-");
        json_decref(document);
}

static void test_plain_pod(void **state) {
        ReviewAnswer found;
        json_t *document, *response = response_of(REVIEW("\"uid\": \"u\", " POD_KIND CREATE PLAIN),
                                  &document, &found);

        assert_true(json_is_true(json_object_get(response, "allowed")));
        assert_int_equal(json_object_size(response), 2);
        assert_false(found.patched);
        assert_string_equal(found.subject, "here/plain");
        json_decref(document);
}

/* What was not registered, and what is no pod: the API server gets an answer, and it is a no. */
static void test_refused(void **state) {
        static const char *const reviews[] = {
                REVIEW("\"uid\": \"u\", " CREATE ANNOTATED),
                REVIEW("\"uid\": \"u\", " POD_KIND ANNOTATED),
                REVIEW("\"uid\": \"u\", " POD_KIND "\"operation\": \"UPDATE\", " ANNOTATED),
                REVIEW("\"uid\": \"u\", " POD_KIND CREATE
                       "\"subResource\": \"ephemeralcontainers\", " ANNOTATED),
                REVIEW("\"uid\": \"u\", \"kind\": {\"group\": \"apps\", \"version\": \"v1\", "
                       "\"kind\": \"Pod\"}, " CREATE ANNOTATED),
                REVIEW("\"uid\": \"u\", " POD_KIND CREATE "\"object\": null"),
        };

        for (size_t i = 0; i < sizeof(reviews) / sizeof(*reviews); i++) {
                ReviewAnswer found;
                json_t *document, *response = response_of(reviews[i], &document, &found);
                json_t *status = json_object_get(response, "status");

                assert_true(json_is_false(json_object_get(response, "allowed")));
                assert_int_equal(json_integer_value(json_object_get(status, "code")), 400);
                assert_true(strlen(json_string_value(json_object_get(status, "message"))) > 20);
                assert_null(json_object_get(response, "patch"));
                json_decref(document);
        }
}

static void test_no_review(void **state) {
        static const char *const texts[] = { "", "{", "[]", "null", "{}",
                REVIEW("\"uid\": \"\", " POD_KIND CREATE PLAIN), REVIEW(POD_KIND CREATE PLAIN),
                REVIEW("\"uid\": 7, " POD_KIND CREATE PLAIN),
                REVIEW("\"uid\": \"u\", \"uid\": \"v\", " POD_KIND CREATE PLAIN),
                "{\"apiVersion\": \"admission.k8s.io/v1beta1\", \"kind\": \"AdmissionReview\", "
                "\"request\": {\"uid\": \"u\"}}",
                "{\"apiVersion\": \"admission.k8s.io/v1\", \"kind\": \"Review\", "
                "\"request\": {\"uid\": \"u\"}}",
                REVIEW("\"uid\": \"u\", " POD_KIND CREATE PLAIN) "{}" };

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                ReviewAnswer found;
                Error error = { 0 };

                assert_int_equal(answer(texts[i], &found, &error), -1);
                assert_int_equal(error.kind, ERROR_INPUT);
        }
}

/* A list of `count` empty lists, or one string of as many commas. */
static int answer_many(size_t count, bool in_string, Error *error) {
        cleanup_free char *text = malloc(count * 3 + 64);
        ReviewAnswer found;
        size_t size = 0;

        size += (size_t)sprintf(text, in_string ? "[\"\\\"" : "[[]");
        for (size_t i = 0; i < count; i++)
                size += (size_t)sprintf(text + size, in_string ? "," : ",[]");
        (void)sprintf(text + size, in_string ? "\"]" : "]");
        return answer(text, &found, error);
}

static void test_values_are_bounded(void **state) {
        Error error = { 0 };

        assert_int_equal(answer_many(REVIEW_VALUES_MAX, false, &error), -1);
        assert_int_equal(error.kind, ERROR_LIMIT);
        assert_int_equal(answer_many(REVIEW_VALUES_MAX / 4, false, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT); /* it was read, and is no review */
        assert_int_equal(answer_many(REVIEW_VALUES_MAX, true, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_annotated_pod),
                cmocka_unit_test(test_plain_pod),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_no_review),
                cmocka_unit_test(test_values_are_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
