/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A tree ends in one of three ways: its program exits and leaves others behind, the launcher asks
 * for it, or the launcher has gone. The first two begin with SIGHUP and SIGCONT, as a terminal that
 * closes does, and turn into a kill when KEEPER_GRACE_MS have passed.
 *
 * What is trusted: the launcher's socket. What is not: the session, whose processes can neither
 * signal this one (another uid, and Landlock's scope) nor leave its tree. A root in the workload
 * can kill a keeper, or stop it, which the launcher takes for the same once it is to end a session;
 * then the program dies with it (its parent-death signal), and the orphans become the launcher's,
 * which ends them (reap.c).
 */
#include "sidecar/launcher/keeper.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/message.h"
#include "base/syscalls.h"
#include "sidecar/launcher/capability.h"
#include "sidecar/launcher/clock.h"
#include "sidecar/launcher/enter.h"
#include "sidecar/launcher/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 20

typedef enum Phase { PHASE_RUNNING, PHASE_HUNG_UP, PHASE_KILLING } Phase;

typedef struct Tree {
        int control, signals;
        TreeScope scope; /* every child of this process */
        pid_t program;   /* 0 once it has been reaped */
        Phase phase;
        int64_t deadline; /* of PHASE_HUNG_UP */
} Tree;

static void say(const Tree *tree, KeeperWord word, int status) {
        const KeeperReport report = { .word = word, .status = status };

        (void)message_send(tree->control, &report, sizeof(report), NULL, 0);
}

static void hang_up(Tree *tree) {
        size_t count = 0;

        if (tree->phase != PHASE_RUNNING)
                return;
        tree->phase = PHASE_HUNG_UP;
        tree->deadline = clock_milliseconds() + KEEPER_GRACE_MS;
        (void)tree_signal(&tree->scope, SIGHUP, &count);
        (void)tree_signal(&tree->scope, SIGCONT, &count);
}

/* False when nothing is left. */
static bool reap(Tree *tree) {
        struct signalfd_siginfo ignored;
        int status;
        pid_t pid;

        (void)!read(tree->signals, &ignored, sizeof(ignored));
        while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
                if (pid == tree->program) {
                        tree->program = 0;
                        say(tree, KEEPER_EXITED, status);
                }
        return !(pid < 0 && errno == ECHILD);
}

static void listen_to_launcher(Tree *tree) {
        KeeperReport order;
        int r = keeper_receive(tree->control, &order);

        if (r == 1 && order.word == KEEPER_STOP)
                hang_up(tree);
        else if (r != -EAGAIN)
                tree->phase = PHASE_KILLING;
}

static int patience(const Tree *tree) {
        int64_t left;

        if (tree->phase == PHASE_RUNNING)
                return -1;
        if (tree->phase == PHASE_KILLING)
                return LOOK_AGAIN_MS;
        left = tree->deadline - clock_milliseconds();
        return left > 0 ? (int)left : 0;
}

static void keep(Tree *tree) {
        struct pollfd watched[] = {
                { .fd = tree->control, .events = POLLIN },
                { .fd = tree->signals, .events = POLLIN },
        };
        size_t count = 0;

        while (reap(tree)) {
                if (tree->program == 0)
                        hang_up(tree);
                if (tree->phase == PHASE_HUNG_UP && clock_milliseconds() >= tree->deadline)
                        tree->phase = PHASE_KILLING;
                if (tree->phase == PHASE_KILLING && tree_kill(&tree->scope, &count) < 0)
                        _exit(EXIT_FAILURE); /* the launcher can, and will: reap.c */
                (void)poll(watched, 2, patience(tree));
                if ((watched[0].revents & ~POLLNVAL) != 0 && tree->phase != PHASE_KILLING)
                        listen_to_launcher(tree);
        }
        say(tree, KEEPER_GONE, 0);
}

static int by_number(const void *one, const void *other) {
        return *(const int *)one - *(const int *)other;
}

/* What is kept: the three standard streams (for nothing but to be taken), the socket, the signals,
 * /proc. In place: a descriptor that would have to be moved might find no room. */
static int close_others(const Tree *tree) {
        int kept[] = { tree->control, tree->signals, tree->scope.proc_fd };
        const size_t count = sizeof(kept) / sizeof(kept[0]);
        unsigned from = STDERR_FILENO + 1;

        qsort(kept, count, sizeof(kept[0]), by_number);
        for (size_t i = 0; i < count; i++) {
                const unsigned number = (unsigned)kept[i];

                if (number > from && sys_close_range(from, number - 1, 0) < 0)
                        return -errno;
                from = number + 1;
        }
        return sys_close_range(from, ~0U, 0) < 0 ? -errno : 0;
}

static int give_up_privileges(void) {
        int r = capability_keep_only(CAPABILITY(CAP_KILL));

        if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                r = -errno;
        return r;
}

static void run(Plan *plan, int proc_fd, int control, int report_fd) __attribute__((__noreturn__));
static void run(Plan *plan, int proc_fd, int control, int report_fd) {
        Tree tree = { .control = control, .scope = { .proc_fd = proc_fd } };
        sigset_t children;

        (void)sigemptyset(&children);
        (void)sigaddset(&children, SIGCHLD);
        (void)prctl(PR_SET_NAME, "keeper");
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || sigprocmask(SIG_BLOCK, &children, NULL) < 0)
                _exit(EXIT_FAILURE);
        tree.signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
        if (tree.signals < 0)
                _exit(EXIT_FAILURE);

        /* The child borrows this process's memory until its execve, and this process waits: no
         * page table is copied, which is a tenth of a session's start. Borrowed are the heap (what
         * the child takes of it goes with the keeper), errno, and the dumpable flag, which both
         * want clear. Till then the keeper hears nothing; keeper_kill() is what ends the two. */
        // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): enter() never returns
        tree.program = vfork();
        if (tree.program == 0)
                enter(plan, report_fd);
        if (tree.program < 0)
                enter_report_no_start(report_fd, errno);
        /* The program runs by now, and this process still holds what it was forked with: it lets go
         * of that, or dies with its program, and the launcher ends what is left. */
        if (close_others(&tree) < 0 || give_up_privileges() < 0)
                _exit(EXIT_FAILURE);
        keep(&tree);
        _exit(EXIT_SUCCESS);
}

static int make_pair(int pair[static 2], bool blocking_child, Error *error) {
        int r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(error, errno == EMFILE || errno == ENFILE ? ERROR_LIMIT : ERROR_OS,
                        errno, "cannot make a socket for the session");
        r = fd_set_nonblocking(pair[0]);
        if (r == 0 && !blocking_child)
                r = fd_set_nonblocking(pair[1]);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot prepare a socket for the session");
        return 0;
}

static void close_pair(int (*pair)[2]) {
        (void)fd_close((*pair)[0]);
        (void)fd_close((*pair)[1]);
}

int keeper_start(Plan *plan, int proc_fd, Keeper *ret_keeper, Error *error) {
        cleanup(close_pair) int control[2] = { -1, -1 };
        cleanup(close_pair) int report[2] = { -1, -1 };
        pid_t pid;

        if (make_pair(control, false, error) < 0 || make_pair(report, true, error) < 0)
                return -1;
        pid = fork();
        if (pid < 0)
                return error_set(error, errno == EAGAIN ? ERROR_LIMIT : ERROR_OS, errno,
                        "cannot start the session's process");
        if (pid == 0)
                run(plan, proc_fd, control[1], report[1]);

        *ret_keeper = (Keeper){
                .pid = pid, .control = take_fd(control[0]), .report_fd = take_fd(report[0])
        };
        return 0;
}

int keeper_receive(int control, KeeperReport *ret_report) {
        int fds[MESSAGE_FDS_MAX];
        size_t fd_count = 0;
        KeeperReport report;
        ssize_t n = message_receive(control, &report, sizeof(report), fds, &fd_count);

        if (n <= 0)
                return n == -ECONNRESET ? 0 : (int)n;
        message_close_fds(fds, fd_count);
        if (n != sizeof(report))
                return -EBADMSG;
        *ret_report = report;
        return 1;
}

void keeper_kill(const Keeper *keeper) {
        if (keeper->pid > 0) /* not reaped: the number is still its own */
                (void)kill(keeper->pid, SIGKILL);
}

int keeper_stop(int control) {
        const KeeperReport order = { .word = KEEPER_STOP };

        return message_send(control, &order, sizeof(order), NULL, 0);
}
