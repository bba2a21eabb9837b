/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/process.h"

#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void reads_a_start_time(void **state) {
        uint64_t value = 0;

        assert_true(process_parse_start_time(
                "42 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19020 21 22\n", &value));
        assert_int_equal(value, 19020);
        /* a name may be made to look like the rest of the line */
        assert_true(process_parse_start_time(
                "42 (a) S 9 (b)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 77 21\n", &value));
        assert_int_equal(value, 77);
        assert_false(process_parse_start_time("", &value));
        assert_false(process_parse_start_time("42 (a) S 1 2 3\n", &value));
        assert_false(process_parse_start_time(
                "42 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -9 21\n", &value));
}

static void maps_ids(void **state) {
        IdMap map = { 0 };
        uint32_t outside = 0;

        assert_true(id_map_parse(
                "         0     131072      65536\n     70000          5          1\n", &map));
        assert_int_equal(map.count, 2);
        assert_true(id_map_outside(&map, 0, &outside));
        assert_int_equal(outside, 131072);
        assert_true(id_map_outside(&map, 65535, &outside));
        assert_int_equal(outside, 131072 + 65535);
        assert_true(id_map_outside(&map, 70000, &outside));
        assert_int_equal(outside, 5);
        assert_false(id_map_outside(&map, 65536, &outside));
        assert_false(id_map_outside(&map, 4294967295U, &outside));
        assert_true(id_map_parse("         0          0 4294967295\n", &map));
        assert_true(id_map_outside(&map, 64750, &outside));
        assert_int_equal(outside, 64750);
        assert_true(id_map_parse("", &map));
        assert_false(id_map_outside(&map, 0, &outside));
        assert_false(id_map_parse("0 0\n", &map));
        assert_false(id_map_parse("0 0 1", &map));
        assert_false(id_map_parse("0 0 4294967296\n", &map));
        assert_false(id_map_parse("a 0 1\n", &map));
}

static void holds_a_process(void **state) {
        cleanup_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        cleanup(process_closep) Process process = PROCESS_NONE, again = PROCESS_NONE;
        RecordInode ours, same;
        Error error = { 0 };
        pid_t child = fork();

        if (child == 0) {
                (void)pause();
                _exit(0);
        }
        assert_int_equal(process_open(proc, (uint32_t)child, &process, &error), 0);
        assert_int_equal(process_inode(&process, "ns/mnt", &ours, &error), 0);
        assert_int_equal(inode_look(proc, "self/ns/mnt", &same), 0);
        assert_true(inode_equal(ours, same));
        assert_int_equal(
                process_open_known(proc, (uint32_t)child, process.start_time + 1, &again, &error),
                1);
        assert_int_equal(
                process_open_known(proc, (uint32_t)child, process.start_time, &again, &error), 0);

        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
        assert_int_equal(process_inode(&process, "ns/mnt", &ours, &error), -1);
        again = process_close(again);
        assert_int_equal(
                process_open_known(proc, (uint32_t)child, process.start_time, &again, NULL), 1);
}

static void a_zombie_has_ended(void **state) {
        cleanup_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        cleanup(process_closep) Process process = PROCESS_NONE;
        siginfo_t info;
        Error error = { 0 };
        pid_t child = fork();

        if (child == 0)
                _exit(0);
        assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(process_open(proc, (uint32_t)child, &process, &error), -1);
        assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_a_start_time),
                cmocka_unit_test(maps_ids),
                cmocka_unit_test(holds_a_process),
                cmocka_unit_test(a_zombie_has_ended),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
