/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The masks as a table, and rulesets built and enforced on this kernel, each in a child of its own.
 * What needs several namespaces is in tests/integration/launcher.
 */
#include "sidecar/launcher/landlock.h"

#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READING (1ULL << 0 | 1ULL << 2 | 1ULL << 3) /* execute, read file, read directory */

static void rights_by_abi(void **state) {
        static const struct {
                int abi;
                bool writable, directory;
                uint64_t rights;
        } cases[] = {
                { 1, true, true, 0x1fff },
                { 2, true, true, 0x3fff },
                { 3, true, true, 0x7fff },
                { 4, true, true, 0x7fff },
                { 5, true, true, 0xffff },
                { 7, true, true, 0xffff },
                { 8, true, true, 0xffff },
                { 9, true, true, 0x1ffff },
                { 99, true, true, 0x1ffff },
                { 2, true, false, 0x7 },
                { 3, true, false, 0x4007 },
                { 5, true, false, 0xc007 },
                { 9, true, false, 0x1c007 },
                { 2, false, true, READING },
                { 9, false, true, READING },
                { 2, false, false, 0x5 },
                { 9, false, false, 0x5 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(
                        landlock_rights(cases[i].abi, cases[i].writable, cases[i].directory),
                        cases[i].rights);
}

static void absence(void **state) {
        assert_string_equal(landlock_absence(ENOSYS), "not implemented");
        assert_string_equal(landlock_absence(EOPNOTSUPP), "not enabled");
        assert_string_equal(landlock_absence(EPERM), "blocked");
}

/* A tree of its own for each test, and the rules of one plan in it. */
typedef struct Place {
        char directory[64];
        char paths[8][128];
        LandlockRule rules[8];
        LandlockPlan plan;
} Place;

static int make_place(void **state) {
        Place *place = calloc(1, sizeof(*place));

        if (place == NULL)
                return -1;
        (void)strcpy(place->directory, "/tmp/navigator-landlock-XXXXXX");
        if (mkdtemp(place->directory) == NULL)
                return -1;
        place->plan = (LandlockPlan){
                .abi = landlock_probe(),
                .hard = true,
                .uid = 4711,
                .gid = 4712,
                .rules = place->rules,
        };
        *state = place;
        return 0;
}

static int remove_place(void **state) {
        Place *place = *state;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                (void)execl("/bin/rm", "rm", "-rf", place->directory, (char *)NULL);
                _exit(127);
        }
        (void)waitpid(pid, &status, 0);
        free(place);
        return status;
}

static const char *in(Place *place, const char *name) {
        static char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", place->directory, name);
        return path;
}

static void rule(Place *place, const char *name, bool writable, bool authored) {
        size_t at = place->plan.count++;

        (void)snprintf(place->paths[at], sizeof(place->paths[at]), "%s",
                name[0] == '/' ? name : in(place, name));
        place->rules[at] = (LandlockRule){
                .path = place->paths[at], .writable = writable, .authored = authored
        };
}

static void make_directory(Place *place, const char *name) {
        assert_int_equal(mkdir(in(place, name), 0755), 0);
}

static void make_file(Place *place, const char *name) {
        int fd = open(in(place, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, "text", 4), 4);
        (void)close(fd);
}

/* landlock_prepare() as a process that is not the owner of what it creates would see it: -errno, or
 * the number of rules applied. */
static int prepare(Place *place, LandlockOutcome *ret_outcome, uint32_t *ret_rule) {
        LandlockOutcome outcome = { 0 };
        uint32_t at = 0;
        int fd = -1;
        int r = landlock_prepare(&place->plan, &fd, &outcome, &at);

        *ret_outcome = outcome;
        *ret_rule = at;
        if (r == 0)
                (void)close(fd);
        return r < 0 ? r : (int)outcome.applied;
}

static void missing_paths(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        uint32_t at;

        make_directory(place, "there");
        rule(place, "there", false, true);
        rule(place, "default", false, false);
        assert_int_equal(prepare(place, &outcome, &at), 1);
        assert_false(landlock_bit(&outcome.skipped, 1)); /* of a default: nothing to report */

        rule(place, "authored", false, true);
        assert_int_equal(prepare(place, &outcome, &at), -ENOENT);
        assert_int_equal(at, 2);

        place->plan.hard = false;
        assert_int_equal(prepare(place, &outcome, &at), 1);
        assert_true(landlock_bit(&outcome.skipped, 2));
}

static void nothing_of_the_author_exists(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        uint32_t at;

        rule(place, "/usr", false, false);
        rule(place, "one", false, true);
        rule(place, "two", false, true);
        place->plan.hard = false;
        assert_int_equal(prepare(place, &outcome, &at), -ENOENT);
}

static void file_below_a_file(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        uint32_t at;

        make_file(place, "file");
        rule(place, "file/below", false, true);
        assert_int_equal(prepare(place, &outcome, &at), -ENOTDIR);
}

static void symbolic_links(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        uint32_t at;

        make_directory(place, "target");
        assert_int_equal(symlink("target", in(place, "link")), 0);
        rule(place, "link", false, true);
        rule(place, "link", true, false);
        assert_int_equal(prepare(place, &outcome, &at), 2);
        assert_true(landlock_bit(&outcome.followed, 0));
        assert_false(landlock_bit(&outcome.followed, 1)); /* of a default */

        rule(place, "link", true, true);
        assert_int_equal(prepare(place, &outcome, &at), -ELOOP);
        assert_int_equal(at, 2);
        place->plan.hard = false; /* a link is no missing path */
        assert_int_equal(prepare(place, &outcome, &at), -ELOOP);
}

static void links_on_the_way_and_magic_ones(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        uint32_t at;

        make_directory(place, "target");
        make_directory(place, "target/inside");
        assert_int_equal(symlink("target", in(place, "link")), 0);
        rule(place, "link/inside", true, true);
        assert_int_equal(prepare(place, &outcome, &at), -ELOOP);

        place->plan.count = 0;
        rule(place, "/proc/self/cwd", false, true);
        assert_int_equal(prepare(place, &outcome, &at), -ELOOP);
}

static void created_directories(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        struct stat about;
        uint32_t at;

        if (geteuid() != 0)
                skip();
        rule(place, "one/two", true, true);
        assert_int_equal(prepare(place, &outcome, &at), 1);
        assert_true(landlock_bit(&outcome.created, 0));
        assert_int_equal(stat(in(place, "one/two"), &about), 0);
        assert_true(
                about.st_uid == 4711 && about.st_gid == 4712 && (about.st_mode & 07777) == 0755);
        assert_int_equal(stat(in(place, "one"), &about), 0);
        assert_true(about.st_uid == 4711);
        assert_int_equal(stat(place->directory, &about), 0);
        assert_true(about.st_uid == 0);

        place->plan.count = 0;
        assert_int_equal(symlink("one", in(place, "link")), 0);
        rule(place, "link/three", true, true);
        assert_int_equal(prepare(place, &outcome, &at), -ELOOP);
        assert_int_equal(access(in(place, "one/three"), F_OK), -1);
}

/* What a confined process may do, as the bits of a child's exit code. */
enum {
        CAN_READ = 1,
        CAN_WRITE = 2,
        CAN_CREATE = 4,
        CAN_TRUNCATE = 8,
        CAN_RENAME_ACROSS = 16,
        CAN_READ_OUTSIDE = 32
};

static int try(Place *place) {
        char from[128], to[128];
        int can = 0;

        if (open(in(place, "box/file"), O_RDONLY | O_CLOEXEC) >= 0)
                can |= CAN_READ;
        if (open(in(place, "box/file"), O_WRONLY | O_CLOEXEC) >= 0)
                can |= CAN_WRITE;
        if (open(in(place, "box/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644) >= 0)
                can |= CAN_CREATE;
        if (truncate(in(place, "box/file"), 1) == 0)
                can |= CAN_TRUNCATE;
        (void)strcpy(from, in(place, "box/file"));
        (void)strcpy(to, in(place, "box/deep/file"));
        if (rename(from, to) == 0)
                can |= CAN_RENAME_ACROSS;
        if (open(in(place, "outside"), O_RDONLY | O_CLOEXEC) >= 0)
                can |= CAN_READ_OUTSIDE;
        return can;
}

static int confined(Place *place) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                LandlockOutcome outcome;
                uint32_t at;
                int fd = -1;

                if (landlock_prepare(&place->plan, &fd, &outcome, &at) < 0 ||
                        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                        landlock_enforce(&place->plan, fd) < 0)
                        _exit(255);
                _exit(try(place));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void make_box(Place *place) {
        make_directory(place, "box");
        make_directory(place, "box/deep");
        make_file(place, "box/file");
        make_file(place, "outside");
}

static void enforced_read_only(void **state) {
        Place *place = *state;

        if (landlock_probe() < 3)
                skip();
        make_box(place);
        rule(place, "box", false, true);
        assert_int_equal(confined(place), CAN_READ);
}

static void enforced_read_write(void **state) {
        Place *place = *state;

        if (landlock_probe() < LANDLOCK_ABI_FLOOR)
                skip();
        make_box(place);
        rule(place, "box", true, true);
        assert_int_equal(confined(place),
                CAN_READ | CAN_WRITE | CAN_CREATE | CAN_TRUNCATE | CAN_RENAME_ACROSS);
}

/* What Landlock alone does not close at the floor, which is why seccomp.c has rules for it. */
static void enforced_at_the_floor(void **state) {
        Place *place = *state;

        if (landlock_probe() < LANDLOCK_ABI_FLOOR)
                skip();
        make_box(place);
        rule(place, "box", false, true);
        place->plan.abi = LANDLOCK_ABI_FLOOR;
        assert_int_equal(confined(place), CAN_READ | CAN_TRUNCATE);
}

static void signals_stay_inside(void **state) {
        Place *place = *state;
        pid_t outside;
        int status;
        pid_t pid;

        if (landlock_probe() < 6)
                skip();
        outside = getpid();
        rule(place, "/usr", false, true);
        pid = fork();
        if (pid == 0) {
                LandlockOutcome outcome;
                uint32_t at;
                int fd = -1;

                if (landlock_prepare(&place->plan, &fd, &outcome, &at) < 0 ||
                        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                        landlock_enforce(&place->plan, fd) < 0)
                        _exit(255);
                _exit(kill(outside, 0) < 0 ? errno : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), EPERM);
}

static void without_landlock(void **state) {
        Place *place = *state;
        LandlockOutcome outcome;
        uint32_t at;
        int fd = 0;

        place->plan.abi = 0;
        rule(place, "missing", false, true);
        assert_int_equal(landlock_prepare(&place->plan, &fd, &outcome, &at), 0);
        assert_int_equal(fd, -1);
        assert_int_equal(outcome.applied, 0);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rights_by_abi),
                cmocka_unit_test(absence),
                PLACED(missing_paths),
                PLACED(nothing_of_the_author_exists),
                PLACED(file_below_a_file),
                PLACED(symbolic_links),
                PLACED(links_on_the_way_and_magic_ones),
                PLACED(created_directories),
                PLACED(enforced_read_only),
                PLACED(enforced_read_write),
                PLACED(enforced_at_the_floor),
                PLACED(signals_stay_inside),
                PLACED(without_landlock),
        };

        (void)umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
