/* SPDX-License-Identifier: Apache-2.0 */

/* Anything but a clear yes of the API server is a no, or an error. */
#include "sidecar/gateway/review.h"

#include "base/cleanup.h"
#include "tests/helpers/unit.h"

#include <string.h>

#define AUDIENCE "navigator.sandbox/uid-1"
#define TOKEN_ANSWER(status) "{\"kind\":\"TokenReview\",\"status\":" status "}"
#define USER                                                                                       \
        "{\"username\":\"alice\",\"uid\":\"7\",\"groups\":[\"a\",\"b\"],\"extra\":{\"k\":[\"v\"]}" \
        "}"
#define GOOD                                                                                       \
        TOKEN_ANSWER("{\"authenticated\":true,\"audiences\":[\"x\",\"" AUDIENCE                    \
                     "\"],\"user\":" USER "}")

static void a_token_is_asked_for_our_audience(void **state) {
        cleanup_free char *text = review_token_question("abc", 3, AUDIENCE);

        assert_string_equal(text,
                "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\",\"spec\":"
                "{\"token\":\"abc\",\"audiences\":[\"" AUDIENCE "\"]}}");
}

static void a_token_that_is_no_text_is_not_asked(void **state) {
        assert_null(review_token_question("\xff\xfe", 2, AUDIENCE));
}

static void token_answers(void **state) {
        static const struct {
                const char *json;
                int result;
        } cases[] = {
                { GOOD, 1 },
                { TOKEN_ANSWER("{\"authenticated\":false,\"error\":\"expired\"}"), 0 },
                { TOKEN_ANSWER("{}"), 0 },
                /* an API server that knows no audiences, another audience, none */
                { TOKEN_ANSWER("{\"authenticated\":true,\"user\":" USER "}"), 0 },
                { TOKEN_ANSWER(
                          "{\"authenticated\":true,\"audiences\":[\"navigator.sandbox/uid-2\"],"
                          "\"user\":" USER "}"),
                        0 },
                { TOKEN_ANSWER("{\"authenticated\":true,\"audiences\":\"" AUDIENCE
                               "\",\"user\":" USER "}"),
                        0 },
                { TOKEN_ANSWER("{\"authenticated\":true,\"audiences\":[\"" AUDIENCE "\"]}"), 0 },
                { TOKEN_ANSWER("{\"authenticated\":\"true\",\"audiences\":[\"" AUDIENCE
                               "\"],\"user\":" USER "}"),
                        0 },
                { TOKEN_ANSWER("{\"authenticated\":true,\"audiences\":[\"" AUDIENCE
                               "\"],\"user\":{\"username\":\"\"}}"),
                        0 },
                { "{\"kind\":\"Status\",\"status\":\"Failure\"}", -1 },
                { "{\"kind\":\"SubjectAccessReview\",\"status\":{\"authenticated\":true}}", -1 },
                { "not json", -1 },
                { "", -1 },
                { "{\"kind\":\"TokenReview\",\"kind\":\"TokenReview\",\"status\":{}}", -1 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char name[REVIEW_NAME_MAX] = "";
                Error error = { 0 };

                assert_int_equal(review_token_answer(cases[i].json, AUDIENCE, name, &error),
                        cases[i].result);
                assert_string_equal(name, cases[i].result > 0 ? "alice" : "");
        }
}

static void access_is_asked_for_that_user(void **state) {
        const ReviewAccess access = { "create", "team", "agent" };
        cleanup_free char *text = review_access_question(GOOD, &access);

        assert_non_null(strstr(text,
                "\"resourceAttributes\":{\"group\":\"navigator.sandbox\",\"resource\":\"sessions\","
                "\"verb\":\"create\",\"namespace\":\"team\",\"name\":\"agent\"}"));
        assert_non_null(strstr(text, "\"user\":\"alice\""));
        assert_non_null(strstr(text, "\"uid\":\"7\""));
        assert_non_null(strstr(text, "\"groups\":[\"a\",\"b\"]"));
        assert_non_null(strstr(text, "\"extra\":{\"k\":[\"v\"]}"));
}

static void access_without_a_user_is_not_asked(void **state) {
        const ReviewAccess access = { "create", "team", "agent" };

        assert_null(review_access_question(TOKEN_ANSWER("{\"authenticated\":true}"), &access));
        assert_null(review_access_question("", &access));
}

static void access_answers(void **state) {
        static const struct {
                const char *json;
                int result;
        } cases[] = {
                { "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":true}}", 1 },
                { "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":false}}", 0 },
                { "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":true,\"denied\":true}"
                  "}",
                        0 },
                { "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":\"true\"}}", 0 },
                { "{\"kind\":\"SubjectAccessReview\",\"status\":{}}", 0 },
                { "{\"kind\":\"TokenReview\",\"status\":{\"allowed\":true}}", -1 },
                { "{\"kind\":\"SubjectAccessReview\"}", -1 },
                { "{", -1 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                Error error = { 0 };

                assert_int_equal(review_access_answer(cases[i].json, &error), cases[i].result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_token_is_asked_for_our_audience),
                cmocka_unit_test(a_token_that_is_no_text_is_not_asked),
                cmocka_unit_test(token_answers),
                cmocka_unit_test(access_is_asked_for_that_user),
                cmocka_unit_test(access_without_a_user_is_not_asked),
                cmocka_unit_test(access_answers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
