/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Taking a container: the test's own child is the container, in a mount namespace of its own, and
 * every part of its record can be made wrong.
 */
#include "sidecar/launcher/target.h"

#include "base/fd.h"
#include "base/message.h"
#include "base/syscalls.h"
#include "policy/flat.h"
#include "sidecar/launcher/process.h"
#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ABI 7

typedef struct Container {
        pid_t pid;
        int proc_fd;
        Record record;
} Container;

static const char *environment[] = { "A=1", NULL };

static int start_container(void **state) {
        Container *container = calloc(1, sizeof(*container));
        ProcessStatus status;
        int ready[2];
        char byte;

        if (container == NULL || pipe2(ready, O_CLOEXEC) < 0)
                return -1;
        container->pid = fork();
        if (container->pid == 0) {
                if (unshare(CLONE_NEWNS) < 0)
                        _exit(1);
                (void)!write(ready[1], "", 1);
                for (;;)
                        (void)pause();
        }
        (void)close(ready[1]);
        if (read(ready[0], &byte, 1) != 1)
                return -1;
        (void)close(ready[0]);
        container->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process_status(container->proc_fd, container->pid, &status) < 0)
                return -1;
        container->record = (Record){
                .pod = "p",
                .pod_name = "",
                .pod_namespace = "",
                .pod_uid = "",
                .container_id = "i",
                .container_name = "one",
                .target = "",
                .start_time = status.start_time,
                .directory = "/",
                .environment = environment,
                .apparmor = "",
                .selinux = "",
                .policy_source = "",
                .policy_text = "",
                .runtime = { 1, 1 },
                .identity = { .uid = 1000,
                        .gid = 1000,
                        .name = "sandbox",
                        .home = "",
                        .shell = "" },
        };
        (void)process_inode(
                container->proc_fd, container->pid, "ns/mnt", &container->record.mount_namespace);
        *state = container;
        return 0;
}

static int end_container(void **state) {
        Container *container = *state;

        (void)kill(container->pid, SIGKILL);
        (void)waitpid(container->pid, NULL, 0);
        (void)close(container->proc_fd);
        free(container);
        return 0;
}

static int write_file(const void *data, size_t size) {
        int fd = memfd_create("record", MFD_CLOEXEC);

        assert_int_equal(write(fd, data, size), size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

/* A target of the container as its record now is, with one cgroup descriptor when `cgroups`. */
static int hand_over(
        Container *container, int abi, size_t cgroups, Target **ret_target, Error *error) {
        Packer policy = packer_growing(POLICY_FLAT_SIZE_MAX),
               packer = packer_growing(RECORD_SIZE_MAX);
        Policy *model = policy_default();
        int fds[MESSAGE_FDS_MAX];
        size_t count = RECORD_FD_CGROUPS;
        int r;

        policy_pack(model, &policy);
        if (container->record.policy == NULL) {
                container->record.policy = policy.data;
                container->record.policy_size = policy.size;
        }
        record_pack(&container->record, &packer);
        assert_false(packer.failed);
        fds[RECORD_FD_FILE] = write_file(packer.data, packer.size);
        fds[RECORD_FD_PIDFD] = sys_pidfd_open(container->pid);
        for (size_t i = 0; i < cgroups; i++)
                fds[count++] = open("/dev/null", O_WRONLY | O_CLOEXEC);
        r = target_new(container->proc_fd, abi, fds, count, ret_target, error);
        for (size_t i = 0; i < count; i++)
                (void)fd_close(fds[i]);
        container->record.policy = NULL;
        packer_done(&policy);
        packer_done(&packer);
        (void)policy_unref(model);
        return r;
}

static Target *taken(Container *container) {
        Target *target = NULL;
        Error error;

        assert_int_equal(
                hand_over(container, ABI, container->record.cgroup_count, &target, &error), 0);
        return target;
}

static void expect_unusable(Container *container, const char *said) {
        Target *target = taken(container);

        assert_int_equal(target->state, TARGET_UNUSABLE);
        if (strstr(target->unusable.text, said) == NULL)
                fail_msg("'%s' does not say '%s'", target->unusable.text, said);
        target = target_free(target);
}

static void enterable(void **state) {
        Container *container = *state;
        Target *target;

        container->record.cgroups[container->record.cgroup_count++] = "memory";
        target = taken(container);
        assert_int_equal(target->state, TARGET_ENTERABLE);
        assert_int_equal(target->pid, container->pid);
        assert_true((target->namespace_flags & CLONE_NEWNS) != 0);
        assert_true(target->landlock.count > 5 && target->landlock.abi == ABI &&
                    target->landlock.uid == 1000);
        assert_true(target->cgroups[0] >= 0);
        target = target_free(target);
}

static void waits_for_the_runtime(void **state) {
        Container *container = *state;
        Target *target;

        (void)process_inode(container->proc_fd, container->pid, "exe", &container->record.runtime);
        target = taken(container);
        assert_int_equal(target->state, TARGET_WAITING);
        assert_false(target_refresh(target, container->proc_fd));
        target->record.runtime.inode++;
        assert_true(target_refresh(target, container->proc_fd));
        assert_int_equal(target->state, TARGET_ENTERABLE);
        assert_false(target_refresh(target, container->proc_fd));
        target = target_free(target);
}

static void goes(void **state) {
        Container *container = *state;
        Target *target = taken(container);

        (void)kill(container->pid, SIGKILL);
        (void)waitid(P_PID, (id_t)container->pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
        assert_true(target_refresh(target, container->proc_fd));
        assert_int_equal(target->state, TARGET_GONE);
        target = target_free(target);
        target = taken(container);
        assert_int_equal(target->state, TARGET_GONE);
        target = target_free(target);
}

static void another_process(void **state) {
        Container *container = *state;

        container->record.start_time++;
        expect_unusable(container, "another process");
        container->record.start_time--;
        container->record.mount_namespace.inode++;
        expect_unusable(container, "another process");
}

static void our_own_mount_namespace(void **state) {
        Container *container = *state;
        pid_t workload = container->pid;
        ProcessStatus status;

        container->pid = getpid();
        assert_int_equal(process_status(container->proc_fd, container->pid, &status), 0);
        container->record.start_time = status.start_time;
        (void)process_inode(
                container->proc_fd, container->pid, "ns/mnt", &container->record.mount_namespace);
        expect_unusable(container, "mount namespace");
        container->pid = workload;
}

static void root_is_refused(void **state) {
        Container *container = *state;

        container->record.identity.uid = 0;
        expect_unusable(container, "uid 0");
        container->record.identity.uid = 1000;
        container->record.identity.gid = 0;
        expect_unusable(container, "gid 0");
        container->record.identity.gid = 1000;
        container->record.identity.groups[container->record.identity.group_count++] = 0;
        expect_unusable(container, "group 0");
}

static void landlock_is_missing(void **state) {
        static const struct {
                int abi;
                const char *said;
        } cases[] = {
                { -ENOSYS,
                        "Landlock unavailable in hard_requirement mode: not implemented (ENOSYS)" },
                { -EOPNOTSUPP, "not enabled (EOPNOTSUPP)" },
                { -EPERM, "blocked (EPERM)" },
                { 1, "ABI 1" },
        };
        Container *container = *state;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                Target *target = NULL;
                Error error;

                assert_int_equal(hand_over(container, cases[i].abi, 0, &target, &error), 0);
                assert_int_equal(target->state, TARGET_UNUSABLE);
                assert_non_null(strstr(target->unusable.text, cases[i].said));
                target = target_free(target);
        }
}

static void landlock_is_missing_and_best_effort(void **state) {
        Container *container = *state;
        Policy *restrictive = policy_default();
        Policy policy = *restrictive;
        Packer packer = packer_growing(POLICY_FLAT_SIZE_MAX);
        Target *target = NULL;
        Error error;

        policy.landlock = POLICY_LANDLOCK_BEST_EFFORT;
        policy_pack(&policy, &packer);
        container->record.policy = packer.data;
        container->record.policy_size = packer.size;
        assert_int_equal(hand_over(container, -ENOSYS, 0, &target, &error), 0);
        assert_int_equal(target->state, TARGET_ENTERABLE);
        assert_int_equal(target->landlock.abi, 0);
        assert_false(target->landlock.hard);
        target = target_free(target);
        packer_done(&packer);
        (void)policy_unref(restrictive);
}

static void malformed(void **state) {
        Container *container = *state;
        int fds[MESSAGE_FDS_MAX];
        Target *target = NULL;
        Error error;

        assert_int_equal(hand_over(container, ABI, 1, &target, &error),
                -1); /* a cgroup that the record does not name */
        fds[0] = write_file("not a record", 12);
        fds[1] = sys_pidfd_open(container->pid);
        assert_int_equal(target_new(container->proc_fd, ABI, fds, 2, &target, &error), -1);
        assert_int_equal(target_new(container->proc_fd, ABI, fds, 1, &target, &error), -1);
        message_close_fds(fds, 2);
        assert_null(target);

        container->record.policy = "garbage";
        container->record.policy_size = 7;
        expect_unusable(container, "policy");
}

static Target *named(const char *name, const char *wanted, TargetState state) {
        Target *target = calloc(1, sizeof(*target));

        target->record.container_name = name;
        target->record.target = wanted;
        target->state = state;
        target->pidfd = -1;
        memset(target->cgroups, -1, sizeof(target->cgroups));
        return target;
}

static void expect_names(const Targets *targets, const char *const *expected) {
        const char **names = targets_names(targets);
        size_t i;

        for (i = 0; expected[i] != NULL; i++)
                assert_string_equal(names[i], expected[i]);
        assert_null(names[i]);
        free(names);
}

static void selection(void **state) {
        static const char *const order[] = { "two", "one", NULL };
        static const char *const first[] = { "one", "two", NULL };
        Targets targets = { 0 };
        Target *target = NULL;
        Error error;

        assert_int_equal(targets_select(&targets, "", &target, &error), -1);
        targets_append(&targets, named("gone", "two", TARGET_GONE));
        assert_int_equal(targets_select(&targets, "", &target, &error), -1);
        targets_append(&targets, named("one", "two", TARGET_ENTERABLE));
        assert_int_equal(targets_select(&targets, "", &target, &error),
                -1); /* the annotation names one that is not there */
        targets_append(&targets, named("two", "two", TARGET_ENTERABLE));
        targets_append(&targets, named("three", "two", TARGET_WAITING));
        assert_int_equal(targets_select(&targets, "", &target, &error), 0);
        assert_string_equal(target->record.container_name, "two");
        assert_int_equal(targets_select(&targets, "three", &target, &error), 0);
        assert_int_equal(targets_select(&targets, "gone", &target, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
        expect_names(&targets, order);

        for (Target *each = targets.first; each != NULL; each = each->next)
                each->record.target = "";
        expect_names(&targets, first);
        while (targets.first != NULL)
                targets_remove(&targets, targets.first);
}

#define CONTAINED(test) cmocka_unit_test_setup_teardown(test, start_container, end_container)

int main(void) {
        const struct CMUnitTest tests[] = {
                CONTAINED(enterable),
                CONTAINED(waits_for_the_runtime),
                CONTAINED(goes),
                CONTAINED(another_process),
                CONTAINED(our_own_mount_namespace),
                CONTAINED(root_is_refused),
                CONTAINED(landlock_is_missing),
                CONTAINED(landlock_is_missing_and_best_effort),
                CONTAINED(malformed),
                cmocka_unit_test(selection),
        };

        if (geteuid() != 0) {
                (void)puts("skipped: a mount namespace of its own needs root");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
