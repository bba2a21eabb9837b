/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a role must not have is taken from it before its first instruction: the list below is a
 * session's in small. Its own seccomp filter and Landlock domain it adds by itself, since it alone
 * knows what it needs.
 *
 * A role that ends is started again at once, and after a growing pause when it ends over and over.
 */
#include "sidecar/launcher/role.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "sidecar/launcher/capability.h"
#include "sidecar/launcher/clock.h"
#include "sidecar/launcher/signals.h"
#include "sidecar/wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEND_LIMIT_SECONDS 2
#define CALM_MS 10000 /* one that ran this long did not fail at once */
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS 5000
#define ENVIRONMENT_ROOM 16U

static int place_descriptors(int control) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
                return -errno;
        if (control == WIRE_CONTROL_FD) {
                if (fd_set_cloexec(control, 0) < 0)
                        return -errno;
        } else if (dup2(control, WIRE_CONTROL_FD) < 0) {
                return -errno;
        }
        return sys_close_range(WIRE_CONTROL_FD + 1, ~0U, 0) < 0 ? -errno : 0;
}

static int become(uid_t uid) {
        const struct rlimit none = { 0, 0 };
        gid_t gid = (gid_t)uid;
        int r = capability_empty_bounding_set();

        if (r < 0)
                return r;
        if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;
        r = capability_keep_only(0);
        if (r < 0)
                return r;
        if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;
        return 0;
}

/* Which pod this is, where the API server and the network's own proxy are reached; nothing else of
 * the container's environment matters to a role, least of all LD_... */
static void choose_environment(char **ret_list) {
        static const char *const prefixes[] = { "NAVIGATOR_", "KUBERNETES_SERVICE_", "POD_",
                "HTTPS_PROXY=", "HTTP_PROXY=", "NO_PROXY=" };
        size_t count = 0;

        for (char **entry = environ; *entry != NULL; entry++)
                for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                        if (strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0 &&
                                count < ENVIRONMENT_ROOM)
                                ret_list[count++] = *entry;
        ret_list[count] = NULL;
}

static void run(const Role *role, int control) __attribute__((__noreturn__));
static void run(const Role *role, int control) {
        char *arguments[ROLE_ARGUMENTS_MAX + 2] = { (char *)(uintptr_t)role->program };
        char *environment[ENVIRONMENT_ROOM + 1];
        int r;

        memcpy(&arguments[1], role->arguments, sizeof(role->arguments));
        (void)umask(077);
        choose_environment(environment);
        r = signals_reset();
        if (r == 0)
                r = place_descriptors(control);
        if (r == 0)
                r = become(role->uid);
        if (r == 0) {
                (void)execve(role->program, arguments, environment);
                r = -errno;
        }
        log_line(LOG_LEVEL_ERROR, "cannot start %s as '%s': %s", role->name, role->program,
                strerrordesc_np(-r));
        _exit(127);
}

int role_start(Role *role, Error *error) {
        const struct timeval limit = { .tv_sec = SEND_LIMIT_SECONDS };
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(error, ERROR_OS, errno, "cannot make a socket for %s", role->name);
        if (setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
                pid = -1;
        else
                pid = fork();
        if (pid == 0)
                run(role, pair[1]);
        (void)fd_close(pair[1]);
        if (pid < 0) {
                (void)fd_close(pair[0]);
                return error_set(error, ERROR_OS, errno, "cannot start %s", role->name);
        }
        role->control = pair[0];
        role->pid = pid;
        role->state = ROLE_STARTING;
        role->started_at = clock_milliseconds();
        return 0;
}

int role_sent(Role *role, int r) {
        if (r < 0)
                role->state = ROLE_FAILED;
        return r;
}

void role_kill(Role *role) {
        if (role->pid > 0)
                (void)kill(role->pid, SIGKILL);
}

void role_ended(Role *role) {
        int64_t now = clock_milliseconds();
        int64_t pause = PAUSE_FIRST_MS;

        role->failures = now - role->started_at >= CALM_MS ? 0 : role->failures + 1;
        for (unsigned i = 1; i < role->failures && pause < PAUSE_MAX_MS; i++)
                pause *= 2;
        role->restart_at = now + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
        role->control = fd_close(role->control);
        role->pid = 0;
        role->state = ROLE_STOPPED;
}
