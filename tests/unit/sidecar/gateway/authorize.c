/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/authorize.h"

#include "tests/helpers/unit.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "0123456789abcdef"

typedef struct Seen {
        unsigned count;
        AuthorizeVerdict verdict;
} Seen;

static void done(void *owner, const AuthorizeVerdict *verdict) {
        Seen *seen = owner;

        seen->count++;
        seen->verdict = *verdict;
}

static AuthorizeVerdict decide(
        const char *token, size_t size, const ListenerPeer *peer, const Head *head) {
        struct event_base *loop = event_base_new();
        cleanup(authorizer_freep) Authorizer *authorizer = NULL;
        const Route route = { .kind = ROUTE_EXEC };
        Error error;
        Seen seen = { 0 };

        assert_int_equal(authorizer_new(loop, token, size, &authorizer, &error), 0);
        assert_non_null(authorize_start(authorizer, peer, head, &route, done, &seen));
        assert_int_equal(seen.count, 0); /* never from within the call */
        (void)event_base_loop(loop, EVLOOP_NONBLOCK);
        assert_int_equal(seen.count, 1);
        authorizer = authorizer_free(authorizer);
        event_base_free(loop);
        return seen.verdict;
}

static const struct {
        const char *authorization, *protocol;
        unsigned code;
} tokens[] = {
        { "Bearer " TOKEN, NULL, 0 },
        { "bearer  " TOKEN, NULL, 0 },
        { NULL, "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.MDEyMzQ1Njc4OWFiY2RlZg",
                0 },
        { NULL, NULL, 401 },
        { "", NULL, 401 },
        { "Bearer", NULL, 401 },
        { "Bearer ", NULL, 401 },
        { "Basic " TOKEN, NULL, 401 },
        { "Bearer " TOKEN " ", NULL, 401 },
        { "Bearer " TOKEN "0", NULL, 401 },
        { "Bearer 0123456789abcde", NULL, 401 },
        { "Bearer 0123456789abcdeF", NULL, 401 },
        /* Who sends both is asked about the header. */
        { "Bearer wrong", "base64url.bearer.authorization.k8s.io.MDEyMzQ1Njc4OWFiY2RlZg", 401 },
        { NULL, "base64url.bearer.authorization.k8s.io.MDEyMzQ1Njc4OWFiY2RlZ===", 401 },
        { NULL, "base64url.bearer.authorization.k8s.io.!", 401 },
};

static void test_tokens(void **state) {
        for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
                const ListenerPeer peer = { 0 };
                Head head = { .method = HEAD_GET };
                AuthorizeVerdict verdict;

                if (tokens[i].authorization != NULL)
                        head.fields[head.field_count++] =
                                (HeadField){ "authorization", tokens[i].authorization };
                if (tokens[i].protocol != NULL)
                        head.fields[head.field_count++] =
                                (HeadField){ "sec-websocket-protocol", tokens[i].protocol };
                verdict = decide(TOKEN "\n", strlen(TOKEN) + 1, &peer, &head);
                if (verdict.code != tokens[i].code)
                        fail_msg("case %zu: %u", i, verdict.code);
                assert_string_equal(verdict.caller, verdict.code == 0 ? "token" : "anonymous");
        }
}

static void test_no_token_is_no_entry(void **state) {
        const ListenerPeer peer = { 0 };
        const Head head = {
                .method = HEAD_GET, .field_count = 1, .fields = { { "authorization", "Bearer " } }
        };

        assert_int_equal(decide("", 0, &peer, &head).code, 401);
}

static void test_local(void **state) {
        const Head head = { .method = HEAD_GET };

        assert_string_equal(
                decide("", 0, &(ListenerPeer){ .local = true, .uid = 7, .pid = 9 }, &head).caller,
                "local:uid=7,pid=9");
        assert_string_equal(decide("", 0, &(ListenerPeer){ .local = true, .uid = 7 }, &head).caller,
                "local:uid=7");
}

static void test_cancel(void **state) {
        struct event_base *loop = event_base_new();
        cleanup(authorizer_freep) Authorizer *authorizer = NULL;
        const ListenerPeer peer = { .local = true };
        const Head head = { .method = HEAD_GET };
        const Route route = { .kind = ROUTE_EXEC };
        Error error;
        Seen seen = { 0 };

        assert_int_equal(authorizer_new(loop, "", 0, &authorizer, &error), 0);
        assert_null(
                authorize_cancel(authorize_start(authorizer, &peer, &head, &route, done, &seen)));
        (void)event_base_loop(loop, EVLOOP_NONBLOCK);
        assert_int_equal(seen.count, 0);
        authorizer = authorizer_free(authorizer);
        event_base_free(loop);
}

static void test_bad_tokens(void **state) {
        static char longest[AUTHORIZE_TOKEN_MAX + 1];
        Authorizer *authorizer = NULL;
        Error error;

        memset(longest, 'x', sizeof(longest));
        assert_int_equal(authorizer_new(NULL, "short", 5, &authorizer, &error), -1);
        assert_int_equal(authorizer_new(NULL, longest, sizeof(longest), &authorizer, &error), -1);
        assert_int_equal(
                authorizer_new(NULL, longest, sizeof(longest) - 1, &authorizer, &error), 0);
        authorizer = authorizer_free(authorizer);
        assert_int_equal(authorizer_new(NULL, " \n", 2, &authorizer, &error), 0);
        authorizer = authorizer_free(authorizer);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_no_token_is_no_entry),
                cmocka_unit_test(test_local),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_bad_tokens),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
