/* SPDX-License-Identifier: Apache-2.0 */

/* A node is ready only when the documents say so in the type they should have: everything else is
 * "no". */
#include "node/readiness.h"

#include "tests/helpers/unit.h"

#include <string.h>

#define LABEL "navigator.sandbox/ready"

static void node_facts(void **state) {
        static const struct {
                const char *json;
                NodeFacts facts;
        } cases[] = {
                { "{\"status\":{\"runtimeHandlers\":[{\"name\":\"\"},{\"name\":\"navigator\"}]},"
                  "\"metadata\":{\"labels\":{\"" LABEL "\":\"true\"}}}",
                        { true, true } },
                { "{\"status\":{\"runtimeHandlers\":[{\"name\":\"runc\"}]},\"metadata\":{"
                  "\"labels\":{\"" LABEL "\":\"false\"}}}",
                        { false, false } },
                { "{\"status\":{\"runtimeHandlers\":{\"name\":\"navigator\"}},\"metadata\":{"
                  "\"labels\":[\"" LABEL "\"]}}",
                        { false, false } },
                { "{\"status\":{\"runtimeHandlers\":[\"navigator\",null,{\"name\":true}]},"
                  "\"metadata\":{\"labels\":{\"" LABEL "\":true}}}",
                        { false, false } },
                { "{}", { false, false } },
                { "[]", { false, false } },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                NodeFacts facts = { true, true };
                Error error = { 0 };

                assert_int_equal(
                        readiness_read_node(cases[i].json, "navigator", LABEL, &facts, &error), 0);
                assert_int_equal(facts.has_handler, cases[i].facts.has_handler);
                assert_int_equal(facts.is_labelled, cases[i].facts.is_labelled);
        }
}

static void no_document(void **state) {
        static const char *const texts[] = { "", "{", "{\"a\":1,\"a\":2}", "<html>" };
        NodeFacts node;
        PodFacts pod;

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                Error error = { 0 };

                assert_int_equal(
                        readiness_read_node(texts[i], "navigator", LABEL, &node, &error), -1);
                assert_int_equal(error.kind, ERROR_PEER);
                assert_int_equal(readiness_read_pods(texts[i], &pod, &error), -1);
        }
}

#define POD(uid, status, more)                                                                     \
        "{\"metadata\":{\"name\":\"canary-" uid "\",\"uid\":\"" uid "\"" more                      \
        "},\"status\":{\"conditions\":"                                                            \
        "[{\"type\":\"Initialized\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"" status \
        "\"}]}}"

static void pod_facts(void **state) {
        PodFacts facts;
        Error error = { 0 };

        assert_int_equal(readiness_read_pods("{\"items\":[" POD("a", "True",
                                                     ",\"deletionTimestamp\":\"now\"") "," POD("b",
                                                     "False", "") "]}",
                                 &facts, &error),
                0);
        assert_true(facts.exists);
        assert_false(facts.is_ready);
        assert_string_equal(facts.uid, "b");
        assert_string_equal(facts.name, "canary-b");

        assert_int_equal(
                readiness_read_pods("{\"items\":[" POD("a", "True", "") "]}", &facts, &error), 0);
        assert_true(facts.is_ready);

        assert_int_equal(readiness_read_pods("{\"items\":[" POD("a", "True",
                                                     ",\"deletionTimestamp\":\"now\"") "]}",
                                 &facts, &error),
                0);
        assert_false(facts.exists);
        assert_false(facts.is_ready);
}

static void rollout(void **state) {
        RolloutFacts facts;
        Error error = { 0 };

        assert_int_equal(
                readiness_read_rollout(
                        "{\"metadata\":{\"generation\":3},\"status\":{\"observedGeneration\":2,"
                        "\"desiredNumberScheduled\":4,\"updatedNumberScheduled\":1}}",
                        &facts, &error),
                0);
        assert_false(facts.is_observed);
        assert_int_equal(facts.desired, 4);
        assert_int_equal(facts.updated, 1);
        assert_int_equal(readiness_read_rollout("{}", &facts, &error), 0);
        assert_false(facts.is_observed);
}

static void counts(void **state) {
        size_t all, running;
        Error error = { 0 };

        assert_int_equal(readiness_count_pods(
                                 "{\"items\":[{\"status\":{\"phase\":\"Running\"},\"metadata\":{}},"
                                 "{\"status\":{\"phase\":\"Running\"},\"metadata\":{"
                                 "\"deletionTimestamp\":\"x\"}},"
                                 "{\"status\":{\"phase\":\"Pending\"}}]}",
                                 &all, &running, &error),
                0);
        assert_int_equal(all, 3);
        assert_int_equal(running, 1);
}

static void message(void **state) {
        char text[16];

        readiness_status_message(
                "{\"kind\":\"Status\",\"message\":\"nodes \\\"x\\\" is forbidden\"}", text,
                sizeof(text));
        assert_string_equal(text, "nodes \"x\" is fo");
        readiness_status_message("not json", text, sizeof(text));
        assert_string_equal(text, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(node_facts),
                cmocka_unit_test(no_document),
                cmocka_unit_test(pod_facts),
                cmocka_unit_test(rollout),
                cmocka_unit_test(counts),
                cmocka_unit_test(message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
