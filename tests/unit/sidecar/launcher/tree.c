/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Trees of real processes: double-forked, in sessions of their own, deaf to SIGHUP, forking without
 * end. The test is their subreaper, as a keeper is, in a child of its own, so that nothing can be
 * left behind.
 */
#include "sidecar/launcher/tree.h"

#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void rest(long milliseconds) {
        const struct timespec time = { .tv_sec = milliseconds / 1000,
                .tv_nsec = milliseconds % 1000 * 1000000 };

        (void)nanosleep(&time, NULL);
}

/* A chain of `depth` processes, each in a session of its own; with `orphan` all but the last end at
 * once. */
static void chain(int depth, bool orphan) {
        (void)setsid();
        for (int i = 1; i < depth; i++) {
                pid_t pid = fork();

                if (pid == 0)
                        (void)setsid();
                else if (orphan)
                        _exit(0);
                else
                        break;
        }
        for (;;)
                (void)pause();
}

static void start_chain(int depth, bool orphan) {
        if (fork() == 0)
                chain(depth, orphan);
}

static bool reap_all(const TreeScope *scope) {
        for (int i = 0; i < 400; i++) {
                size_t count = 0;
                pid_t pid;

                if (tree_kill(scope, &count) < 0)
                        return false;
                while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
                        continue;
                if (pid < 0 && errno == ECHILD)
                        return true;
                rest(5);
        }
        return false;
}

/* Runs a test body as a subreaper; its exit code is 0 when it went well. */
static void as_subreaper(int (*body)(const TreeScope *scope)) {
        int status, r;
        pid_t pid = fork();

        if (pid == 0) {
                const TreeScope scope = { .proc_fd = open(
                                                  "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };

                (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
                r = body(&scope);
                _exit(reap_all(&scope) ? r : 100);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* Forks take their time on a busy machine. */
static bool soon_there_are(const TreeScope *scope, size_t wanted) {
        for (int i = 0; i < 1000; i++) {
                size_t count = 0;

                if (tree_signal(scope, 0, &count) < 0)
                        return false;
                if (count == wanted)
                        return true;
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        continue;
                rest(5);
        }
        return false;
}

static int kill_orphans(const TreeScope *scope) {
        start_chain(6, false);
        start_chain(6, true);
        if (!soon_there_are(scope, 7))
                return 1;
        return reap_all(scope) ? 0 : 2;
}

static void orphans_are_found(void **state) {
        as_subreaper(kill_orphans);
}

static int signal_some(const TreeScope *scope) {
        size_t count = 0;

        start_chain(3, false);
        if (!soon_there_are(scope, 3) || tree_signal(scope, SIGHUP, &count) < 0 || count != 3)
                return 1;
        return soon_there_are(scope, 0) ? 0 : 2;
}

static void a_signal_reaches_each(void **state) {
        as_subreaper(signal_some);
}

static pid_t spared;

static bool all_but_one(void *context, pid_t pid) {
        return pid != spared;
}

static int spare_one(const TreeScope *scope) {
        TreeScope some = *scope;
        size_t count = 0;

        some.is_head = all_but_one;
        spared = fork();
        if (spared == 0)
                chain(2, false);
        start_chain(2, false);
        if (!soon_there_are(scope, 4) || tree_kill(&some, &count) < 0 || count != 2)
                return 1;
        if (!soon_there_are(scope, 2) || kill(spared, 0) < 0)
                return 2;
        return reap_all(scope) ? 0 : 3;
}

static void heads_are_chosen(void **state) {
        as_subreaper(spare_one);
}

static void bomb(void) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };

        (void)sigaction(SIGHUP, &ignore, NULL);
        (void)sigaction(SIGCHLD, &ignore, NULL);
        for (;;) {
                if (fork() == 0)
                        (void)setsid();
                rest(2); /* it shall fork without end, not take the machine */
        }
}

static int defuse(const TreeScope *scope) {
        const struct rlimit limit = { 40, 40 };

        if (fork() == 0) {
                if (setrlimit(RLIMIT_NPROC, &limit) < 0 || setresuid(64799, 64799, 64799) < 0)
                        _exit(1);
                bomb();
        }
        rest(300);
        return reap_all(scope) ? 0 : 1;
}

static void a_fork_bomb_ends(void **state) {
        if (geteuid() != 0)
                skip();
        as_subreaper(defuse);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(orphans_are_found),
                cmocka_unit_test(a_signal_reaches_each),
                cmocka_unit_test(heads_are_chosen),
                cmocka_unit_test(a_fork_bomb_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
