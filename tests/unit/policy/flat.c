/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/flat.h"

#include "policy/ceiling.h"
#include "policy/decide.h"
#include "policy/effective.h"
#include "tests/helpers/policies.h"

#include <stdlib.h>

static const char *const files[] = {
        "policy/presets/development.yaml",
        "policy/presets/data-science.yaml",
        "policy/presets/locked-down.yaml",
        "policy/presets/web-readonly.yaml",
        "tests/data/policy/features/requests.yaml",
        "tests/data/policy/features/everything.yaml",
};

#define FILE_COUNT (sizeof(files) / sizeof(*files))

static Packer pack(const Policy *policy) {
        Packer packer = packer_growing(POLICY_FLAT_SIZE_MAX);

        policy_pack(policy, &packer);
        assert_false(packer.failed);
        return packer;
}

static void comes_back_as_it_was(void **state) {
        for (size_t i = 0; i < FILE_COUNT; i++) {
                cleanup(policy_unrefp) Policy *policy = policy_of_file(files[i]);
                cleanup(policy_unrefp) Policy *copy = NULL;
                Packer packed = pack(policy), again;
                Error error = { 0 };

                assert_int_equal(policy_unpack(packed.data, packed.size, &copy, &error), 0);
                again = pack(copy);
                assert_int_equal(again.size, packed.size);
                assert_memory_equal(again.data, packed.data, packed.size);
                assert_int_equal(copy->binary_count, policy->binary_count);
                packer_done(&packed);
                packer_done(&again);
        }
}

static void carries_the_ceiling(void **state) {
        cleanup(policy_unrefp) Policy *policy = policy_of_file("policy/presets/development.yaml");
        cleanup(policy_unrefp) Policy *ceiling = policy_of_file("policy/presets/web-readonly.yaml");
        cleanup(policy_unrefp) Policy *bounded = NULL;
        cleanup(policy_unrefp) Policy *copy = NULL;
        Packer packed;

        assert_int_equal(policy_bound(policy, ceiling, &bounded, NULL), 0);
        packed = pack(bounded);
        assert_int_equal(policy_unpack(packed.data, packed.size, &copy, NULL), 0);
        assert_non_null(copy->ceiling);
        assert_int_equal(copy->ceiling->network_count, 1);
        assert_int_equal(copy->ceiling->networks[0].binaries[0].number, policy->binary_count);
        assert_int_equal(copy->binary_count, policy->binary_count + ceiling->binary_count);
        packer_done(&packed);
}

/* Every prefix, in memory of exactly its size, so that the sanitizers see a byte too many. */
static void refuses_every_prefix(void **state) {
        cleanup(policy_unrefp) Policy *policy =
                policy_of_file("tests/data/policy/features/everything.yaml");
        Packer packed = pack(policy);

        for (size_t size = 0; size < packed.size; size++) {
                cleanup_free void *copy = malloc(size > 0 ? size : 1);
                Policy *read = NULL;
                Error error = { 0 };

                assert_non_null(copy);
                memcpy(copy, packed.data, size);
                assert_int_equal(policy_unpack(copy, size, &read, &error), -1);
                assert_null(read);
                assert_int_equal(error.kind, ERROR_PEER);
        }
        packer_done(&packed);
}

/* Whatever one byte becomes, the result is refused or a policy that can be used. */
static void survives_every_changed_byte(void **state) {
        cleanup(policy_unrefp) Policy *policy =
                policy_of_file("tests/data/policy/features/requests.yaml");
        const PolicyProgram sh = { .path = "/bin/sh" };
        const PolicyRequest request = {
                .host = "api.example.com", .port = 443, .programs = &sh, .program_count = 1
        };
        Packer packed = pack(policy);
        unsigned accepted = 0;

        for (size_t at = 0; at < packed.size; at++) {
                static const uint8_t changes[] = { 0x01, 0x80, 0xff };

                for (size_t i = 0; i < sizeof(changes); i++) {
                        cleanup(policy_unrefp) Policy *read = NULL;
                        cleanup_free PolicyPath *paths = NULL;
                        uint32_t count;

                        packed.data[at] ^= changes[i];
                        if (policy_unpack(packed.data, packed.size, &read, NULL) == 0) {
                                accepted++;
                                (void)policy_decide(read, &request);
                                (void)policy_effective_paths(read, NULL, &paths, &count, NULL);
                        }
                        packed.data[at] ^= changes[i];
                }
        }
        assert_true(accepted > 0);
        packer_done(&packed);
}

/* The launcher opens these paths as root. */
static void believes_no_path(void **state) {
        static const char *const wrong[] = { "usr", "", "/usr/../etc", "/usr/", "//usr", "/usr/.",
                "/" };

        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
                const PolicyPath path = { .path = wrong[i],
                        .access = POLICY_READ_WRITE,
                        .origin = POLICY_ORIGIN_AUTHOR };
                Policy forged = policy_restrictive;
                Policy *read = NULL;
                Packer packed;

                forged.paths = &path;
                forged.path_count = 1;
                packed = pack(&forged);
                assert_int_equal(policy_unpack(packed.data, packed.size, &read, NULL), -1);
                packer_done(&packed);
        }
}

static void hash_of(const char *text, uint8_t hash[static SHA256_SIZE]) {
        cleanup(policy_unrefp) Policy *policy = policy_of(text);

        assert_int_equal(policy_hash(policy, hash), 0);
}

static void hashes_what_is_said(void **state) {
        static const char one[] =
                "version: 1\n"
                "filesystem_policy: {read_only: [/usr, /etc], read_write: [/tmp]}\n"
                "network_policies:\n"
                "  a: {endpoints: [{host: x.example.com, ports: [443, 80]}, {host: b, port: 1}], "
                "binaries: [{path: /b}, {path: /a}]}\n"
                "  b: {endpoints: [{port: 5, allowed_ips: [10.0.0.1, 10.0.0.0/24]}], binaries: "
                "[{path: /a}]}\n";
        static const char same[] =
                "# another layout\n"
                "network_policies:\n"
                "  b:\n"
                "    binaries: [{path: //a}]\n"
                "    endpoints: [{allowed_ips: [10.0.0.7/24, 10.0.0.1], ports: [5]}]\n"
                "  a:\n"
                "    name: a\n"
                "    endpoints:\n"
                "      - {host: B., port: 1}\n"
                "      - {host: X.example.com, ports: [80, 443, 80]}\n"
                "    binaries: [{path: /a}, {path: /b}]\n"
                "filesystem: {include_workdir: true, read_write: [/tmp/], read_only: [/etc, "
                "/usr]}\n"
                "landlock: {compatibility: hard_requirement}\n"
                "version: 1\n";
        static const char other[] =
                "version: 1\n"
                "filesystem_policy: {read_only: [/usr, /etc], read_write: [/tmp]}\n"
                "network_policies:\n"
                "  a: {endpoints: [{host: x.example.com, ports: [443, 81]}, {host: b, port: 1}], "
                "binaries: [{path: /b}, {path: /a}]}\n"
                "  b: {endpoints: [{port: 5, allowed_ips: [10.0.0.1, 10.0.0.0/24]}], binaries: "
                "[{path: /a}]}\n";
        uint8_t first[SHA256_SIZE], second[SHA256_SIZE];

        hash_of(one, first);
        hash_of(same, second);
        assert_memory_equal(first, second, SHA256_SIZE);
        hash_of(other, second);
        assert_memory_not_equal(first, second, SHA256_SIZE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(comes_back_as_it_was),
                cmocka_unit_test(carries_the_ceiling),
                cmocka_unit_test(refuses_every_prefix),
                cmocka_unit_test(survives_every_changed_byte),
                cmocka_unit_test(believes_no_path),
                cmocka_unit_test(hashes_what_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
