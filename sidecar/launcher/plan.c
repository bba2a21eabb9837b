/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The request comes from the gateway, which speaks to the network: every bound is checked here
 * again. The target's parts come from the hook's record.
 */
#include "sidecar/launcher/plan.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define FLAGS_ALL                                                                                  \
        (WIRE_SESSION_TTY | WIRE_SESSION_STDIN | WIRE_SESSION_STDOUT | WIRE_SESSION_STDERR |       \
                WIRE_SESSION_LOGIN)
#define TERMINAL_TYPE_MAX 64U

static int check_texts(const char *const *list, size_t *total, Error *error) {
        for (size_t i = 0; list[i] != NULL; i++) {
                size_t size = strlen(list[i]);

                if (size > WIRE_ARGUMENT_SIZE_MAX)
                        return error_set(error, ERROR_LIMIT, 0,
                                "an argument or variable has %zu bytes, %u are allowed", size,
                                WIRE_ARGUMENT_SIZE_MAX);
                *total += size;
        }
        return 0;
}

static int check_request(const WireSessionStart *start, Error *error) {
        size_t total = 0;

        if ((start->flags & ~(uint32_t)FLAGS_ALL) != 0)
                return error_set(error, ERROR_PEER, 0,
                        "a session was asked for with unknown flags 0x%x", start->flags);
        if (check_texts(start->arguments, &total, error) < 0 ||
                check_texts(start->environment, &total, error) < 0)
                return -1;
        if (total > WIRE_TEXT_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "arguments and variables have %zu bytes together, %u are allowed", total,
                        WIRE_TEXT_MAX);
        if (strlen(start->terminal) > TERMINAL_TYPE_MAX)
                return error_set(error, ERROR_LIMIT, 0, "the terminal type is longer than %u bytes",
                        TERMINAL_TYPE_MAX);
        if (strlen(start->directory) >= PATH_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "the working directory is longer than %d bytes", PATH_MAX - 1);
        if (start->directory[0] != '\0' && start->directory[0] != '/')
                return error_set(error, ERROR_INPUT, 0,
                        "the working directory must be absolute: '%s'", start->directory);
        return 0;
}

static void plan_directories(Plan *plan, const WireSessionStart *start) {
        const char *home = plan->target->record.identity.home;

        if (start->directory[0] != '\0') {
                plan->directories[plan->directory_count++] = start->directory;
                return;
        }
        plan->directories[plan->directory_count++] = POLICY_WORKDIR;
        if (home[0] == '/')
                plan->directories[plan->directory_count++] = home;
        plan->directories[plan->directory_count++] = "/";
}

/* The pipe belongs to the session's user, so that programs may open /dev/stdout again. It is one
 * inode: either end names it. */
static int make_pipe(const RecordIdentity *identity, int *ret_read, int *ret_write, Error *error) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(error, errno == EMFILE || errno == ENFILE ? ERROR_LIMIT : ERROR_OS,
                        errno, "cannot make a pipe");
        *ret_read = ends[0];
        *ret_write = ends[1];
        if (fchown(ends[0], identity->uid, identity->gid) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot give a pipe to uid %u", identity->uid);
        return 0;
}

static int plan_streams(
        Plan *plan, uint32_t flags, int *peer_ends, size_t *peer_end_count, Error *error) {
        static const uint32_t wanted[] = { WIRE_SESSION_STDIN, WIRE_SESSION_STDOUT,
                WIRE_SESSION_STDERR };

        for (size_t i = 0; i < 3; i++) {
                int *ours = &plan->streams[i];
                int *theirs = &peer_ends[*peer_end_count];

                if ((flags & wanted[i]) == 0) {
                        *ours = fcntl(plan->base->null_fd, F_DUPFD_CLOEXEC, 3);
                        if (*ours < 0)
                                return error_set(error, ERROR_LIMIT, errno,
                                        "cannot open /dev/null once more");
                        continue;
                }
                if (make_pipe(&plan->target->record.identity, i == 0 ? ours : theirs,
                            i == 0 ? theirs : ours, error) < 0)
                        return -1;
                (*peer_end_count)++;
        }
        return 0;
}

static int usable(const Target *target, Error *error) {
        const char *name = target->record.container_name;

        if (target->state == TARGET_ENTERABLE)
                return 0;
        if (target->state == TARGET_WAITING)
                return error_set(
                        error, ERROR_OS, 0, "container '%s' has not started its program yet", name);
        if (target->state == TARGET_GONE)
                return error_set(error, ERROR_OS, 0, "container '%s' has ended", name);
        *error = target->unusable;
        return error_context(error, "container '%s' cannot be entered", name);
}

int plan_make(const PlanBase *base, const Target *target, const WireSessionStart *start,
        Plan *ret_plan, int ret_peer_ends[static 3], size_t *ret_peer_end_count, Error *error) {
        cleanup(plan_donep) Plan plan = {
                .base = base,
                .target = target,
                .terminal = (start->flags & WIRE_SESSION_TTY) != 0,
                .rows = start->rows,
                .columns = start->columns,
                .streams = { -1, -1, -1 },
        };
        int peer_ends[3] = { -1, -1, -1 };
        size_t count = 0;
        int r;

        if (usable(target, error) < 0 || check_request(start, error) < 0 ||
                environment_build(&target->record, start, &plan.environment, error) < 0 ||
                command_plan(start, &target->record.identity, &plan.command, error) < 0)
                return -1;
        plan_directories(&plan, start);
        if (!plan.terminal) {
                r = plan_streams(&plan, start->flags, peer_ends, &count, error);
                if (r < 0) {
                        message_close_fds(peer_ends, 3);
                        return -1;
                }
        }
        memcpy(ret_peer_ends, peer_ends, sizeof(peer_ends));
        *ret_peer_end_count = count;
        *ret_plan = take(plan, PLAN_EMPTY);
        return 0;
}

Plan plan_done(Plan plan) {
        for (size_t i = 0; i < 3; i++)
                (void)fd_close(plan.streams[i]);
        plan.environment = environment_done(plan.environment);
        plan.command = command_done(plan.command);
        return PLAN_EMPTY;
}
