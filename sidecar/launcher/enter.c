/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one list of what confines a session, in the order in which the kernel wants it:
 *
 * - cgroups first: their descriptors mean what they mean in any namespace, and what follows is
 *   already charged to the workload;
 * - everything that is opened inside the workload's root (shell, terminal, Landlock rules) comes
 *   while we may still open it, and before the identity, so that a path below another uid's 0700
 *   directory can be a rule;
 * - the working directory after the identity, so that it is one that the user may enter;
 * - no_new_privs before Landlock and seccomp, which ask for it in place of a capability;
 * - descriptors are closed before the filter, and the filter is last, so that it need not permit
 *   any step above.
 *
 * The child runs our code and libc's only. Nothing of the workload's is executed or loaded here,
 * and what it owns (paths, devices) is opened by the rules of terminal.c and landlock.c.
 */
#include "sidecar/launcher/enter.h"

#include "base/fd.h"
#include "base/message.h"
#include "base/syscalls.h"
#include "sidecar/launcher/capability.h"
#include "sidecar/launcher/cgroup.h"
#include "sidecar/launcher/identity.h"
#include "sidecar/launcher/limits.h"
#include "sidecar/launcher/namespaces.h"
#include "sidecar/launcher/signals.h"
#include "sidecar/launcher/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the report's end is kept while all above is closed; the execve closes it */
#define REPORT_FD 3

typedef struct Entry {
        Plan *plan;
        int report;
        int master, slave;
        int ruleset;
        CommandChoice choice;
        EnterReport outcome;
} Entry;

static int send_report(Entry *entry, EnterReportKind kind, const int *fds, size_t fd_count) {
        entry->outcome.kind = kind;
        return message_send(entry->report, &entry->outcome, sizeof(entry->outcome), fds, fd_count);
}

static int reset_signals(Entry *entry) {
        (void)entry;
        (void)umask(022);
        return signals_reset();
}

static int join_cgroups(Entry *entry) {
        const Target *target = entry->plan->target;

        return cgroup_join(target->cgroups, target->record.cgroup_count, &entry->outcome.detail);
}

static int join_namespaces(Entry *entry) {
        const Target *target = entry->plan->target;

        return namespaces_join(
                entry->plan->base->network_fd, target->pidfd, target->namespace_flags);
}

static int check_root(Entry *entry) {
        return namespaces_check_root(entry->plan->target->record.root);
}

static int settle_command(Entry *entry) {
        Plan *plan = entry->plan;

        entry->choice = command_settle(&plan->command, &plan->environment);
        return entry->choice.program != NULL ? 0 : -ENOENT;
}

static int take_terminal(Entry *entry) {
        const Plan *plan = entry->plan;
        int r = 0;

        if (plan->terminal)
                r = terminal_open(plan->rows, plan->columns, plan->target->record.identity.uid,
                        &entry->master, &entry->slave);
        if (r == 0 && plan->terminal)
                r = send_report(entry, ENTER_TERMINAL_OPEN, &entry->master, 1);
        return r == 0 ? terminal_control(entry->slave) : r;
}

static int place_streams(Entry *entry) {
        for (int i = 0; i < 3; i++)
                if (dup2(entry->plan->terminal ? entry->slave : entry->plan->streams[i], i) < 0)
                        return -errno;
        return 0;
}

static int open_rules(Entry *entry) {
        return landlock_prepare(&entry->plan->target->landlock, &entry->ruleset,
                &entry->outcome.landlock, &entry->outcome.detail);
}

static int take_limits(Entry *entry) {
        const Record *record = &entry->plan->target->record;

        return limits_take(record->limits, record->limit_count, &entry->plan->base->files);
}

static int empty_bounding_set(Entry *entry) {
        (void)entry;
        return capability_empty_bounding_set();
}

static int take_identity(Entry *entry) {
        return identity_take(&entry->plan->target->record.identity);
}

static int change_directory(Entry *entry) {
        int r = -ENOENT;

        for (size_t i = 0; r < 0 && i < entry->plan->directory_count; i++)
                r = chdir(entry->plan->directories[i]) < 0 ? -errno : 0;
        return r;
}

static int give_up_new_privileges(Entry *entry) {
        (void)entry;
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int enforce_landlock(Entry *entry) {
        if (entry->ruleset < 0) /* best_effort on a kernel without Landlock */
                return 0;
        return landlock_enforce(&entry->plan->target->landlock, entry->ruleset);
}

/* 0, 1 and 2 stay, and the report until the execve. */
static int close_descriptors(Entry *entry) {
        if (entry->report != REPORT_FD) {
                if (dup3(entry->report, REPORT_FD, O_CLOEXEC) < 0)
                        return -errno;
                entry->report = REPORT_FD;
        }
        return sys_close_range(REPORT_FD + 1, ~0U, 0) < 0 ? -errno : 0;
}

static int install_filter(Entry *entry) {
        return seccomp_install(entry->plan->base->seccomp);
}

static int await_permission(Entry *entry) {
        int r = send_report(entry, ENTER_PREPARED, NULL, 0);
        char byte;
        ssize_t n;

        if (r < 0)
                return r;
        do
                n = recv(entry->report, &byte, sizeof(byte), 0);
        while (n < 0 && errno == EINTR);
        if (n != 1)
                _exit(EXIT_FAILURE); /* nobody is left to tell */
        return 0;
}

static int execute(Entry *entry) {
        return command_execute(entry->choice, &entry->plan->environment);
}

static const struct {
        const char *name;
        int (*apply)(Entry *entry);
} steps[ENTER_STEP_COUNT] = {
        [ENTER_START] = { "start", NULL },
        [ENTER_SIGNALS] = { "signals", reset_signals },
        [ENTER_CGROUP] = { "cgroup", join_cgroups },
        [ENTER_NAMESPACES] = { "namespaces", join_namespaces },
        [ENTER_ROOT] = { "root", check_root },
        [ENTER_SHELL] = { "shell", settle_command },
        [ENTER_TERMINAL] = { "terminal", take_terminal },
        [ENTER_STREAMS] = { "streams", place_streams },
        [ENTER_LANDLOCK_RULES] = { "landlock-rules", open_rules },
        [ENTER_LIMITS] = { "limits", take_limits },
        [ENTER_BOUNDING_SET] = { "bounding-set", empty_bounding_set },
        [ENTER_IDENTITY] = { "identity", take_identity },
        [ENTER_DIRECTORY] = { "directory", change_directory },
        [ENTER_NO_NEW_PRIVILEGES] = { "no-new-privileges", give_up_new_privileges },
        [ENTER_LANDLOCK] = { "landlock", enforce_landlock },
        [ENTER_DESCRIPTORS] = { "descriptors", close_descriptors },
        [ENTER_SECCOMP] = { "seccomp", install_filter },
        [ENTER_PERMISSION] = { "permission", await_permission },
        [ENTER_EXECUTE] = { "execute", execute },
};

void enter(Plan *plan, int report_fd) {
        Entry entry = {
                .plan = plan, .report = report_fd, .master = -1, .slave = -1, .ruleset = -1
        };

        for (EnterStep step = ENTER_START + 1; step < ENTER_STEP_COUNT; step++) {
                int r = steps[step].apply(&entry);

                if (r < 0) {
                        entry.outcome.step = step;
                        entry.outcome.code = -r;
                        (void)send_report(&entry, ENTER_FAILED, NULL, 0);
                        break;
                }
        }
        _exit(EXIT_FAILURE);
}

void enter_report_no_start(int report_fd, int code) {
        Entry entry = { .report = report_fd, .outcome = { .step = ENTER_START, .code = code } };

        (void)send_report(&entry, ENTER_FAILED, NULL, 0);
}

int enter_receive(int fd, EnterReport *ret_report, int *ret_master) {
        int fds[MESSAGE_FDS_MAX];
        size_t fd_count = 0;
        EnterReport report;
        ssize_t n = message_receive(fd, &report, sizeof(report), fds, &fd_count);

        if (n <= 0)
                return n == -ECONNRESET ? 0 : (int)n;
        *ret_master = fd_count > 0 ? take_fd(fds[0]) : -1;
        if (n != sizeof(report) || fd_count > 1) {
                message_close_fds(fds, fd_count);
                *ret_master = fd_close(*ret_master);
                return -EBADMSG;
        }
        *ret_report = report;
        return 1;
}

int enter_permit(int fd) {
        return message_send(fd, "", 1, NULL, 0);
}

const char *enter_step_name(EnterStep step) {
        return steps[step].name;
}

static void explain_rule(const EnterReport *report, const Target *target, Error *ret_error) {
        const LandlockRule *rule = &target->landlock.rules[report->detail];
        const char *key = rule->writable ? "read_write" : "read_only";
        const char *mode = target->landlock.hard ? " (hard_requirement)" : "";

        if (report->code == ELOOP)
                (void)error_set(ret_error, ERROR_INPUT, 0,
                        "policy: %s '%s' leads through a symbolic link%s: write its target", key,
                        rule->path, mode);
        else if (report->code == ENOENT && !target->landlock.hard)
                (void)error_set(ret_error, ERROR_INPUT, 0,
                        "policy: none of the paths it lists exists in the container");
        else
                (void)error_set(ret_error, ERROR_INPUT, report->code,
                        "policy: cannot grant %s '%s'%s", key, rule->path, mode);
}

static uint8_t explain_command(const EnterReport *report, const char *program, Error *ret_error) {
        if (report->code == ENOENT || report->code == ENOTDIR) {
                (void)error_set(ret_error, ERROR_INPUT, 0, "'%.128s': command not found", program);
                return 127;
        }
        (void)error_set(
                ret_error, ERROR_INPUT, report->code, "'%.128s' cannot be executed", program);
        return 126;
}

uint8_t enter_explain(const EnterReport *report, const Target *target, const char *directory,
        const char *program, Error *ret_error) {
        const char *cgroup;
        int code = report->code;

        switch ((int)report->step) {
        case ENTER_START:
                (void)error_set(ret_error, ERROR_LIMIT, code,
                        "cannot start one more process in the sidecar");
                return 0;
        case ENTER_CGROUP:
                cgroup = target->record.cgroups[report->detail];
                (void)error_set(ret_error, ERROR_OS, code,
                        "cannot join the container's cgroup '%s'",
                        cgroup[0] != '\0' ? cgroup : "version 2");
                return 0;
        case ENTER_ROOT:
                (void)error_set(ret_error, ERROR_OS, code == EXDEV ? 0 : code,
                        "the container has not entered its own root yet");
                return 0;
        case ENTER_SHELL:
                (void)error_set(
                        ret_error, ERROR_INPUT, 0, "the image has no shell: give a command to run");
                return 127;
        case ENTER_LANDLOCK_RULES:
                explain_rule(report, target, ret_error);
                return 0;
        case ENTER_DIRECTORY:
                (void)error_set(ret_error, ERROR_INPUT, code,
                        "cannot enter the working directory '%s' as uid %u", directory,
                        target->record.identity.uid);
                return 0;
        case ENTER_EXECUTE:
                return explain_command(report, program, ret_error);
        default:
                (void)error_set(ret_error, ERROR_OS, code,
                        "the session could not be confined, step %s", steps[report->step].name);
                return 0;
        }
}
