/* SPDX-License-Identifier: Apache-2.0 */

/* The bare anchor: posix_spawn(), which is vfork() and execve() here, and waitpid(). */
#include "base/cleanup.h"
#include "tests/bench/kind.h"
#include "tests/bench/options.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct Run {
        char **arguments;
        posix_spawn_file_actions_t actions;
};

static int spawn_prepare(const Options *options, Run **ret_run, Error *error) {
        Run *run = calloc(1, sizeof(*run));

        if (run == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot prepare");
        run->arguments = options->arguments;
        (void)posix_spawn_file_actions_init(&run->actions);
        (void)posix_spawn_file_actions_addopen(
                &run->actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        (void)posix_spawn_file_actions_addopen(
                &run->actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        *ret_run = run;
        return 0;
}

static int spawn_run(Run *run, int *ret_code, Error *error) {
        int status = 0;
        pid_t pid;
        int r = posix_spawnp(&pid, run->arguments[0], &run->actions, NULL, run->arguments, environ);

        if (r != 0)
                return error_set(error, ERROR_OS, r, "cannot run '%s'", run->arguments[0]);
        if (waitpid(pid, &status, 0) < 0)
                return error_set(error, ERROR_OS, errno, "cannot wait for '%s'", run->arguments[0]);
        *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return 0;
}

static Run *spawn_forget(Run *run) {
        if (run != NULL)
                (void)posix_spawn_file_actions_destroy(&run->actions);
        free(run);
        return NULL;
}

const Kind kind_spawn = { "spawn", spawn_prepare, spawn_run, spawn_forget };
