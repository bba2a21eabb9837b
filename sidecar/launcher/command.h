/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Command: what a session executes. Either the caller's arguments as they are, or a login shell
 * that executes them after its startup files, or the login shell itself. Which shells there are is
 * known only inside the workload's root, so the plan holds candidates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/launcher/environment.h"
#include "sidecar/wire/record.h"
#include "sidecar/wire/wire.h"

#define COMMAND_SHELLS_MAX 3U
#define COMMAND_LOGIN_ARGUMENTS 3U /* NAME -lc SCRIPT, in front of the caller's */

typedef struct CommandShell {
        const char *path;     /* borrowed from the record, or constant */
        const char *variable; /* "SHELL=path" */
} CommandShell;

typedef struct Command {
        CommandShell shells[COMMAND_SHELLS_MAX];
        size_t shell_count;
        char *owned_variable; /* of the user's own shell */
        bool login;
        const char *
                *arguments;  /* owned, NULL-ended; the caller's start at COMMAND_LOGIN_ARGUMENTS */
        size_t count;        /* of the caller's */
        char login_name[64]; /* "-sh" */
} Command;

/* ERROR_INPUT: no arguments and no login shell wanted either. Borrows the strings of both. */
int command_plan(const WireSessionStart *start, const RecordIdentity *identity,
        Command *ret_command, Error *error);
Command command_done(Command command);
DEFINE_CLEANUP(Command, command_done);

/* What is executed: a path or a name to look up, and the arguments. Borrowed from the command. */
typedef struct CommandChoice {
        const char *program; /* NULL: nothing, as a shell was wanted and the image has none */
        const char *const *arguments;
} CommandChoice;

/* Called inside the workload's root: settles on the first shell that is there and sets SHELL. Where
 * an image has no shell the caller's arguments are run as they are. Writes into the command and the
 * environment, of which a forked child has its own copies. */
CommandChoice command_settle(Command *command, Environment *environment);

/* Executes; a name without '/' is looked up in the environment's PATH. Returns only on failure,
 * with -errno: ENOENT: no such program. */
int command_execute(CommandChoice choice, const Environment *environment);
