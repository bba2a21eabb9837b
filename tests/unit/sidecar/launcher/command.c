/* SPDX-License-Identifier: Apache-2.0 */

/* Which program and which arguments a request turns into, in a root (chroot) of which the test says
 * which shells it has. */
#include "sidecar/launcher/command.h"

#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Case {
        const char *shells; /* that exist, separated by blanks */
        const char *own;    /* of the passwd line */
        uint32_t flags;
        const char *asked[5];
        const char *program; /* NULL: nothing */
        const char *arguments[8];
        const char *shell; /* SHELL */
} Case;

#define LOGIN WIRE_SESSION_LOGIN
#define TTY (WIRE_SESSION_LOGIN | WIRE_SESSION_TTY)
#define SCRIPT "exec \"$0\" \"$@\""

static const Case cases[] = {
        /* as given */
        { "/bin/bash /bin/sh", "", 0, { "ls", "-l", "a b" }, "ls", { "ls", "-l", "a b" },
                "/bin/bash" },
        { "", "", 0, { "/static" }, "/static", { "/static" }, "/bin/sh" },
        { "/bin/sh", "", WIRE_SESSION_TTY, { "bash" }, "bash", { "bash" }, "/bin/sh" },
        /* by a login shell */
        { "/bin/bash /bin/sh", "", LOGIN, { "ls", "$(id)" }, "/bin/bash",
                { "bash", "-lc", SCRIPT, "ls", "$(id)" }, "/bin/bash" },
        { "/bin/sh", "", LOGIN, { "ls" }, "/bin/sh", { "-sh", "-c", SCRIPT, "ls" }, "/bin/sh" },
        { "/bin/sh /usr/bin/zsh", "/usr/bin/zsh", LOGIN, { "ls" }, "/usr/bin/zsh",
                { "-zsh", "-c", SCRIPT, "ls" }, "/usr/bin/zsh" },
        { "/bin/sh /bin/bash /usr/bin/zsh", "/usr/bin/zsh", LOGIN, { "ls" }, "/bin/bash",
                { "bash", "-lc", SCRIPT, "ls" }, "/bin/bash" },
        { "/usr/local/bin/bash", "/usr/local/bin/bash", LOGIN, { "ls" }, "/usr/local/bin/bash",
                { "bash", "-lc", SCRIPT, "ls" }, "/usr/local/bin/bash" },
        { "", "", LOGIN, { "/static", "x" }, "/static", { "/static", "x" }, "/bin/sh" },
        /* the shell itself */
        { "/bin/bash", "", TTY, { "bash" }, "/bin/bash", { "bash", "-l" }, "/bin/bash" },
        { "/bin/bash", "", TTY, { "sh" }, "/bin/bash", { "bash", "-l" }, "/bin/bash" },
        { "/bin/sh", "", TTY, { "bash" }, "/bin/sh", { "-sh" }, "/bin/sh" },
        { "/bin/sh", "", TTY, { "/bin/bash" }, "/bin/sh", { "-sh" }, "/bin/sh" },
        { "/bin/bash", "", TTY, { "bash", "-x" }, "/bin/bash",
                { "bash", "-lc", SCRIPT, "bash", "-x" }, "/bin/bash" },
        { "/bin/bash", "", TTY, { "zsh" }, "/bin/bash", { "bash", "-lc", SCRIPT, "zsh" },
                "/bin/bash" },
        { "/bin/bash", "", LOGIN, { "bash" }, "/bin/bash", { "bash", "-lc", SCRIPT, "bash" },
                "/bin/bash" },
        { "/bin/bash", "", LOGIN, { NULL }, "/bin/bash", { "bash", "-l" }, "/bin/bash" },
        { "/bin/sh", "", LOGIN, { NULL }, "/bin/sh", { "-sh" }, "/bin/sh" },
        { "", "", TTY, { "sh" }, NULL, { NULL }, "/bin/sh" },
};

static void make_shell(const char *root, const char *path) {
        char full[256];

        (void)snprintf(full, sizeof(full), "%s%s", root, path);
        for (char *at = strchr(full + strlen(root) + 1, '/'); at != NULL;
                at = strchr(at + 1, '/')) {
                *at = '\0';
                (void)mkdir(full, 0755);
                *at = '/';
        }
        assert_true(close(open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0755)) == 0);
}

static bool same(const char *one, const char *other) {
        return one == NULL ? other == NULL : other != NULL && strcmp(one, other) == 0;
}

static bool is_right(const Case *expected) {
        const WireSessionStart start = { .flags = expected->flags,
                .arguments = (const char **)(uintptr_t)expected->asked };
        const RecordIdentity identity = { .uid = 1000, .gid = 1000, .shell = expected->own };
        Environment environment = { 0 };
        Command command = { 0 };
        CommandChoice choice;
        Error error;

        if (environment_add(&environment, "SHELL=/bin/sh", &error) < 0 ||
                command_plan(&start, &identity, &command, &error) < 0)
                return false;
        choice = command_settle(&command, &environment);
        if (!same(choice.program, expected->program) ||
                !same(environment_get(&environment, "SHELL"), expected->shell))
                return false;
        for (size_t i = 0;
                expected->program != NULL && (i == 0 || expected->arguments[i - 1] != NULL); i++)
                if (!same(choice.arguments[i], expected->arguments[i]))
                        return false;
        return true;
}

static void run_case(const Case *expected, size_t number) {
        char root[] = "/tmp/navigator-command-XXXXXX";
        char list[128], *rest = NULL;
        int status;
        pid_t pid;

        assert_non_null(mkdtemp(root));
        (void)snprintf(list, sizeof(list), "%s", expected->shells);
        for (char *shell = strtok_r(list, " ", &rest); shell != NULL;
                shell = strtok_r(NULL, " ", &rest))
                make_shell(root, shell);
        pid = fork();
        if (pid == 0) {
                if (chroot(root) < 0 || chdir("/") < 0)
                        _exit(2);
                _exit(is_right(expected) ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        pid = fork();
        if (pid == 0) {
                (void)execl("/bin/rm", "rm", "-rf", root, (char *)NULL);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        if (WEXITSTATUS(status) != 0)
                fail_msg("case %zu", number);
}

static void choices(void **state) {
        if (geteuid() != 0)
                skip();
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                run_case(&cases[i], i);
}

static void nothing_to_run(void **state) {
        static const char *empty[] = { NULL };
        const WireSessionStart start = { .arguments = empty };
        const RecordIdentity identity = { .shell = "" };
        Command command = { 0 };
        Error error;

        assert_int_equal(command_plan(&start, &identity, &command, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
}

/* A shell that is a directory, or a link out of /proc, is none. */
static void lookup(void **state) {
        static const struct {
                const char *path, *name;
                int result;
        } paths[] = {
                { "PATH=/nonexistent:/tmp", "navigator-no-such", -ENOENT },
                { "PATH=", "navigator-no-such", -ENOENT },
                { "PATH=/etc:/nonexistent", "passwd", -EACCES },
                { "PATH=/etc/passwd:/nonexistent", "x", -ENOENT },
                { "PATH=/usr/bin", "", -ENOENT },
                { "PATH=/usr/bin", "/etc/passwd", -EACCES },
                { "PATH=/usr/bin", "/etc", -EACCES },
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                const char *arguments[] = { paths[i].name, NULL };
                Environment environment = { 0 };
                Error error;

                assert_int_equal(environment_add(&environment, paths[i].path, &error), 0);
                assert_int_equal(
                        command_execute((CommandChoice){ paths[i].name, arguments }, &environment),
                        paths[i].result);
                environment = environment_done(environment);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(choices),
                cmocka_unit_test(nothing_to_run),
                cmocka_unit_test(lookup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
