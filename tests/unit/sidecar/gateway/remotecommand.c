/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/remotecommand.h"

#include "tests/helpers/unit.h"

#include <string.h>

static void test_protocols(void **state) {
        assert_int_equal(remote_protocol("v5.channel.k8s.io", 17), REMOTE_PROTOCOL_V5);
        assert_int_equal(remote_protocol("v4.channel.k8s.io,", 17), REMOTE_PROTOCOL_V4);
        assert_int_equal(remote_protocol("channel.k8s.io", 14), REMOTE_PROTOCOL_CHANNEL);
        assert_int_equal(remote_protocol("v4.base64.channel.k8s.io", 24), REMOTE_PROTOCOL_NONE);
        assert_int_equal(remote_protocol("v5.channel.k8s.i", 16), REMOTE_PROTOCOL_NONE);
        assert_int_equal(remote_protocol("", 0), REMOTE_PROTOCOL_NONE);
}

static RemoteEvent piece(
        RemoteReader *reader, const char *text, size_t text_size, const char **rest) {
        const uint8_t *data = (const uint8_t *)text;
        size_t size = text_size;
        RemoteEvent event = remote_piece(reader, &data, &size);

        *rest = (const char *)data;
        return event;
}

static void test_input(void **state) {
        RemoteReader reader = { .protocol = REMOTE_PROTOCOL_V5 };
        RemoteEvent event;
        const char *rest;
        Error error;

        /* The channel is the first byte of the message, not of every piece. */
        assert_int_equal(piece(&reader, "\0", 1, &rest), REMOTE_EVENT_NONE);
        assert_int_equal(piece(&reader, "\1ab", 3, &rest), REMOTE_EVENT_INPUT);
        assert_memory_equal(rest, "\1ab", 3);
        assert_int_equal(remote_end(&reader, &event, &error), 0);
        assert_int_equal(event, REMOTE_EVENT_NONE);
        assert_int_equal(piece(&reader, "\0xyz", 4, &rest), REMOTE_EVENT_INPUT);
        assert_memory_equal(rest, "xyz", 3);
        assert_int_equal(remote_end(&reader, &event, &error), 0);
        /* An empty message has no channel. */
        assert_int_equal(remote_end(&reader, &event, &error), 0);
        /* Channels that are ours to write, or nobody's. */
        for (int channel = 1; channel < 4; channel++) {
                const char text[] = { (char)channel, 'x' };

                assert_int_equal(piece(&reader, text, 2, &rest), REMOTE_EVENT_NONE);
                assert_int_equal(remote_end(&reader, &event, &error), 0);
                assert_int_equal(event, REMOTE_EVENT_NONE);
        }
}

static const struct {
        RemoteProtocol protocol;
        const char *text;
        size_t size;
        int result;
        RemoteEvent event;
} closes[] = {
        { REMOTE_PROTOCOL_V5, "\xff\0", 2, 0, REMOTE_EVENT_INPUT_END },
        { REMOTE_PROTOCOL_V5, "\xff\1", 2, 0, REMOTE_EVENT_NONE },
        { REMOTE_PROTOCOL_V5, "\xff", 1, -1, REMOTE_EVENT_NONE },
        { REMOTE_PROTOCOL_V5, "\xff\0\0", 3, -1, REMOTE_EVENT_NONE },
        { REMOTE_PROTOCOL_V4, "\xff\0", 2, 0, REMOTE_EVENT_NONE },
        { REMOTE_PROTOCOL_V4, "\xff", 1, 0, REMOTE_EVENT_NONE },
};

static void test_close(void **state) {
        for (size_t i = 0; i < sizeof(closes) / sizeof(*closes); i++) {
                RemoteReader reader = { .protocol = closes[i].protocol };
                RemoteEvent event;
                const char *rest;
                Error error;

                for (size_t at = 0; at < closes[i].size; at++)
                        (void)piece(&reader, closes[i].text + at, 1, &rest);
                assert_int_equal(remote_end(&reader, &event, &error), closes[i].result);
                assert_int_equal(event, closes[i].event);
        }
}

static void test_resize(void **state) {
        RemoteReader reader = { .protocol = REMOTE_PROTOCOL_V4 };
        static char text[REMOTE_RESIZE_SIZE_MAX + 2];
        RemoteEvent event;
        const char *rest;
        Error error;

        assert_int_equal(piece(&reader, "\4{\"Wi", 5, &rest), REMOTE_EVENT_NONE);
        assert_int_equal(piece(&reader, "dth\"", 4, &rest), REMOTE_EVENT_NONE);
        assert_int_equal(remote_end(&reader, &event, &error), 0);
        assert_int_equal(event, REMOTE_EVENT_RESIZE);
        assert_int_equal(reader.size, 8);
        assert_memory_equal(reader.kept, "{\"Width\"", 8);

        memset(text, ' ', sizeof(text));
        text[0] = 4;
        (void)piece(&reader, text, sizeof(text) - 1, &rest);
        assert_int_equal(remote_end(&reader, &event, &error), 0);
        assert_int_equal(event, REMOTE_EVENT_RESIZE);
        (void)piece(&reader, text, sizeof(text), &rest);
        (void)piece(&reader, text, sizeof(text), &rest);
        assert_int_equal(remote_end(&reader, &event, &error), -1);
        assert_int_equal(error.kind, ERROR_PEER);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_protocols),
                cmocka_unit_test(test_input),
                cmocka_unit_test(test_close),
                cmocka_unit_test(test_resize),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
