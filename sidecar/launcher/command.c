/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A caller's arguments are never joined into a line of shell: the shell gets a fixed script, `exec
 * "$0" "$@"`, and the arguments as its parameters, so blanks, quotes, $() and newlines stay what
 * they are.
 */
#include "sidecar/launcher/command.h"

#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SCRIPT "exec \"$0\" \"$@\""
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char bash_name[] = "bash";
static const CommandShell bash = { "/bin/bash", "SHELL=/bin/bash" };
static const CommandShell posix_shell = { "/bin/sh", "SHELL=/bin/sh" };

/* With a terminal, what a person types to get "a shell". */
static const char *const shell_names[] = {
        "bash",
        "sh",
        "/bin/bash",
        "/bin/sh",
        "/usr/bin/bash",
        "/usr/bin/sh",
};

static bool asks_for_a_shell(const WireSessionStart *start) {
        const char *only = start->arguments[0];

        if (only == NULL)
                return true;
        if ((start->flags & WIRE_SESSION_TTY) == 0 || start->arguments[1] != NULL)
                return false;
        for (size_t i = 0; i < sizeof(shell_names) / sizeof(shell_names[0]); i++)
                if (strcmp(only, shell_names[i]) == 0)
                        return true;
        return false;
}

static int add_shells(Command *command, const RecordIdentity *identity, Error *error) {
        const char *own = identity->shell;

        command->shells[command->shell_count++] = bash;
        if (own[0] == '/' && strcmp(own, bash.path) != 0 && strcmp(own, posix_shell.path) != 0) {
                if (asprintf(&command->owned_variable, "SHELL=%s", own) < 0) {
                        command->owned_variable = NULL;
                        return error_set(error, ERROR_OS, ENOMEM, "cannot plan the session");
                }
                command->shells[command->shell_count++] =
                        (CommandShell){ own, command->owned_variable };
        }
        command->shells[command->shell_count++] = posix_shell;
        return 0;
}

int command_plan(const WireSessionStart *start, const RecordIdentity *identity,
        Command *ret_command, Error *error) {
        cleanup(command_donep)
                Command command = { .login = (start->flags & WIRE_SESSION_LOGIN) != 0 };

        if (start->arguments[0] == NULL && !command.login)
                return error_set(error, ERROR_INPUT, 0, "there is no command to run");
        if (add_shells(&command, identity, error) < 0)
                return -1;
        if (!command.login || !asks_for_a_shell(start))
                while (start->arguments[command.count] != NULL)
                        command.count++;
        command.arguments =
                calloc(COMMAND_LOGIN_ARGUMENTS + command.count + 1, sizeof(*command.arguments));
        if (command.arguments == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot plan the session");
        memcpy(command.arguments + COMMAND_LOGIN_ARGUMENTS, start->arguments,
                command.count * sizeof(*command.arguments));

        *ret_command = take(command, (Command){ 0 });
        return 0;
}

Command command_done(Command command) {
        free(command.owned_variable);
        free(command.arguments);
        return (Command){ 0 };
}

static bool is_program(const char *path) {
        cleanup_fd int fd =
                sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
        struct stat about;

        return fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
               (about.st_mode & 0111) != 0;
}

static const CommandShell *find_shell(const Command *command) {
        for (size_t i = 0; i < command->shell_count; i++)
                if (is_program(command->shells[i].path))
                        return &command->shells[i];
        return NULL;
}

/*
 * How a login shell is asked for. bash reads its profile before a -c script only for the option -l,
 * and not for the "-" in front of its name; every other shell knows the "-", and older ones of them
 * do not know the option.
 */
static CommandChoice as_login_shell(Command *command, const CommandShell *shell) {
        const char *name = strrchr(shell->path, '/') + 1;
        bool is_bash = strcmp(name, bash_name) == 0;
        const char **last =
                command->arguments + COMMAND_LOGIN_ARGUMENTS - 1; /* the free places end here */
        const char **first;

        (void)snprintf(
                command->login_name, sizeof(command->login_name), "%s%s", is_bash ? "" : "-", name);
        if (command->count > 0) {
                *last = SCRIPT;
                *--last = is_bash ? "-lc" : "-c";
                first = last - 1;
        } else {
                *last = "-l";
                first = is_bash ? last - 1 : last;
        }
        *first = command->login_name;
        return (CommandChoice){ shell->path, first };
}

CommandChoice command_settle(Command *command, Environment *environment) {
        const char *const *callers = command->arguments + COMMAND_LOGIN_ARGUMENTS;
        const CommandShell *shell = find_shell(command);

        if (shell != NULL)
                (void)environment_add(
                        environment, shell->variable, NULL); /* replaces, so there is room */
        if (command->login && shell != NULL)
                return as_login_shell(command, shell);
        return (CommandChoice){ callers[0], callers };
}

static int execute(const char *path, const char *const *arguments, const Environment *environment) {
        /* execve changes neither list; its type is older than const */
        (void)execve(path, (char *const *)(uintptr_t)arguments,
                (char *const *)(uintptr_t)environment->entries);
        return -errno;
}

/* As execvp(3) looks: what is not there or may not be searched is passed over, and a refusal is
 * remembered. */
int command_execute(CommandChoice choice, const Environment *environment) {
        const char *name = choice.program;
        const char *path = environment_get(environment, "PATH");
        char candidate[PATH_MAX];
        int result = -ENOENT;

        if (name == NULL || name[0] == '\0')
                return -ENOENT;
        if (strchr(name, '/') != NULL)
                return execute(name, choice.arguments, environment);
        for (const char *at = path != NULL ? path : PATH_DEFAULT; at != NULL;
                at = strchr(at, ':')) {
                size_t size;
                int n, r;

                at += *at == ':';
                size = strcspn(at, ":");
                n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)size, at,
                        size > 0 ? "/" : "", name);
                if (n < 0 || (size_t)n >= sizeof(candidate))
                        continue;
                r = execute(candidate, choice.arguments, environment);
                if (r == -EACCES)
                        result = r;
                else if (r != -ENOENT && r != -ENOTDIR)
                        return r;
        }
        return result;
}
