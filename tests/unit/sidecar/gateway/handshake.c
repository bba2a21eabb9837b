/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/handshake.h"

#include "sidecar/gateway/remotecommand.h"
#include "tests/helpers/unit.h"

#include <stdlib.h>
#include <string.h>

/* The key and answer of RFC 6455 section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const HandshakeProtocols known = {
        .find = remote_protocol,
        .unnamed = REMOTE_PROTOCOL_CHANNEL,
        .names = "those are",
};

static Head upgrade(const char *protocols) {
        Head head = {
                .method = HEAD_GET,
                .field_count = 5,
                .fields = {
                        { "host", "pod:8443" },
                        { "connection", "keep-alive, Upgrade" },
                        { "upgrade", "WebSocket" },
                        { "sec-websocket-key", KEY },
                        { "sec-websocket-version", "13" },
                },
        };

        if (protocols != NULL)
                head.fields[head.field_count++] =
                        (HeadField){ "sec-websocket-protocol", protocols };
        return head;
}

static const struct {
        const char *offered;
        RemoteProtocol chosen; /* NONE: refused */
        const char *echoed;
} protocols[] = {
        { NULL, REMOTE_PROTOCOL_CHANNEL, "" },
        { "v5.channel.k8s.io", REMOTE_PROTOCOL_V5, "v5.channel.k8s.io" },
        { "v5.channel.k8s.io,v4.channel.k8s.io,v3.channel.k8s.io,v2.channel.k8s.io,channel.k8s.io",
                REMOTE_PROTOCOL_V5, "v5.channel.k8s.io" },
        { "v3.channel.k8s.io, v4.channel.k8s.io", REMOTE_PROTOCOL_V4, "v4.channel.k8s.io" },
        { "base64url.bearer.authorization.k8s.io.YQ, v4.channel.k8s.io", REMOTE_PROTOCOL_V4,
                "v4.channel.k8s.io" },
        { "v4.base64.channel.k8s.io", REMOTE_PROTOCOL_NONE, "" },
        { "SPDY/3.1+portforward.k8s.io", REMOTE_PROTOCOL_NONE, "" },
};

static void test_protocols(void **state) {
        for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
                const Head head = upgrade(protocols[i].offered);
                Handshake handshake = { 0 };
                Error error = { 0 };
                int r = handshake_check(&head, &known, &handshake, &error);

                assert_int_equal(r, protocols[i].chosen == REMOTE_PROTOCOL_NONE ? -1 : 0);
                if (r < 0)
                        continue;
                assert_int_equal(handshake.protocol, protocols[i].chosen);
                assert_int_equal(handshake.name_size, strlen(protocols[i].echoed));
                assert_memory_equal(handshake.name_size > 0 ? handshake.name : "",
                        protocols[i].echoed, handshake.name_size);
                assert_string_equal(handshake.accept, ACCEPT);
        }
}

static const struct {
        const char *name, *value; /* instead of what upgrade() has */
        const char *says;
} broken[] = {
        { "connection", "keep-alive", "SPDY is not spoken" },
        { "upgrade", "SPDY/3.1", "SPDY is not spoken" },
        { "sec-websocket-version", "8", "version 13" },
        { "sec-websocket-key", "short", "Sec-WebSocket-Key" },
};

static void test_broken(void **state) {
        for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
                Head head = upgrade("v5.channel.k8s.io");
                Handshake handshake;
                Error error = { 0 };

                for (size_t k = 0; k < head.field_count; k++)
                        if (strcmp(head.fields[k].name, broken[i].name) == 0)
                                head.fields[k].value = broken[i].value;
                assert_int_equal(handshake_check(&head, &known, &handshake, &error), -1);
                assert_non_null(strstr(error.text, broken[i].says));
        }
}

static void test_post(void **state) {
        Head head = upgrade("v5.channel.k8s.io");
        Handshake handshake;
        Error error;

        head.method = HEAD_POST;
        assert_int_equal(handshake_check(&head, &known, &handshake, &error), -1);
}

static const struct {
        const char *origin;
        int result;
} origins[] = {
        { "https://pod:8443", 0 },
        { "http://POD:8443", 0 },
        { "https://pod", -1 },
        { "https://evil.example", -1 },
        { "https://pod:8443.evil.example", -1 },
        { "null", -1 },
        { "", -1 },
};

static void test_origin(void **state) {
        Head head = upgrade("v5.channel.k8s.io");
        Error error;

        assert_int_equal(handshake_check_origin(&head, &error), 0);
        head.field_count++;
        for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++) {
                head.fields[head.field_count - 1] = (HeadField){ "origin", origins[i].origin };
                assert_int_equal(handshake_check_origin(&head, &error), origins[i].result);
        }
}

static void test_token(void **state) {
        Head head = upgrade("v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0, x");
        size_t size = 0;
        const char *token = handshake_token(&head, &size);

        assert_int_equal(size, 8);
        assert_memory_equal(token, "c2VjcmV0", 8);
        head = upgrade("v4.channel.k8s.io");
        assert_null(handshake_token(&head, &size));
        head = upgrade("base64url.bearer.authorization.k8s.io.");
        assert_null(handshake_token(&head, &size));
        head = upgrade(NULL);
        assert_null(handshake_token(&head, &size));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_protocols),
                cmocka_unit_test(test_broken),
                cmocka_unit_test(test_post),
                cmocka_unit_test(test_origin),
                cmocka_unit_test(test_token),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
