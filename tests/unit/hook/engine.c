/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/engine.h"

#include "tests/helpers/unit.h"

#define ID "0123abcd"

static void is_told_by_the_place_of_the_bundle(void **state) {
        static const struct {
                const char *bundle;
                bool stored;
                Engine expected;
        } cases[] = {
                { "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID, false,
                        ENGINE_CONTAINERD },
                { "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID, false,
                        ENGINE_CONTAINERD },
                /* docker, nerdctl and ctr: no CRI plugin speaks there */
                { "/run/containerd/io.containerd.runtime.v2.task/moby/" ID, false, ENGINE_UNKNOWN },
                { "/run/containerd/io.containerd.runtime.v2.task/k8s.io/other", false,
                        ENGINE_UNKNOWN },
                { "/run/containers/storage/overlay-containers/" ID "/userdata", false,
                        ENGINE_CRIO },
                { "/var/lib/containers/storage/overlay-containers/" ID "/userdata", true,
                        ENGINE_PODMAN },
                { "/srv/storage/vfs-containers/" ID "/userdata", true, ENGINE_PODMAN },
                { "/srv/storage/vfs-containers/other/userdata", true, ENGINE_UNKNOWN },
                { "/srv/" ID "/userdata", true, ENGINE_UNKNOWN },
                { "/bundle", false, ENGINE_UNKNOWN },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (engine_of_bundle(ID, cases[i].bundle, cases[i].stored) != cases[i].expected)
                        fail_msg("%s", cases[i].bundle);
}

static void has_a_name(void **state) {
        Engine engine = ENGINE_UNKNOWN;

        assert_true(engine_by_name("containerd", &engine));
        assert_int_equal(engine, ENGINE_CONTAINERD);
        assert_true(engine_by_name("cri-o", &engine));
        assert_int_equal(engine, ENGINE_CRIO);
        assert_true(engine_by_name("podman", &engine));
        assert_int_equal(engine, ENGINE_PODMAN);
        assert_false(engine_by_name("docker", &engine));
        assert_false(engine_by_name("", &engine));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_told_by_the_place_of_the_bundle),
                cmocka_unit_test(has_a_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
