/* SPDX-License-Identifier: Apache-2.0 */

/*
 * navigator-sidecar: the order in which the launcher starts. Nobody may look into it (not dumpable)
 * and nothing is inherited from it before it reads a single argument; it is the only one and has
 * ended what an earlier one left before it makes anything; what it needs only for the network is
 * given up before it listens.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/syscalls.h"
#include "sidecar/launcher/capability.h"
#include "sidecar/launcher/launcher.h"
#include "sidecar/launcher/limits.h"
#include "sidecar/launcher/listener.h"
#include "sidecar/launcher/network.h"
#include "sidecar/launcher/serve.h"
#include "sidecar/launcher/serve_egress.h"
#include "sidecar/launcher/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIX_SOCKET_NAME "exec.sock"

/* So that no descriptor of ours ever has the number of a standard stream. */
static int open_standard_streams(Error *error) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open /dev/null");
        (void)fd_close(fd);
        return 0;
}

static int harden(Error *error) {
        (void)umask(022);
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return error_set(error, ERROR_OS, errno, "cannot close this process to others");
        if (sys_close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
                return error_set(error, ERROR_OS, errno, "cannot close what was inherited");
        return open_standard_streams(error);
}

static int open_signals(Launcher *launcher, Error *error) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        sigset_t wanted;

        /* An audit reader that has gone, and a file that may not grow, are errors of write(2). */
        (void)sigaction(SIGPIPE, &ignore, NULL);
        (void)sigaction(SIGXFSZ, &ignore, NULL);
        (void)sigemptyset(&wanted);
        (void)sigaddset(&wanted, SIGCHLD);
        (void)sigaddset(&wanted, SIGTERM);
        (void)sigaddset(&wanted, SIGINT);
        if (sigprocmask(SIG_SETMASK, &wanted, NULL) < 0)
                return error_set(error, ERROR_OS, errno, "cannot block signals");
        launcher->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
        if (launcher->signals < 0)
                return error_set(error, ERROR_OS, errno, "cannot receive signals");
        return 0;
}

static int open_audit(Launcher *launcher, Error *error) {
        const char *path = launcher->options->audit;

        launcher->audit.fd = STDOUT_FILENO;
        if (path != NULL)
                launcher->audit.fd =
                        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (launcher->audit.fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open the audit file '%s'", path);
        if (audit_recent_open(launcher->options->socket_directory, &launcher->recent, error) < 0)
                return -1;
        launcher->audit.recent = &launcher->recent;
        return 0;
}

static int be_the_only_one(Launcher *launcher, Error *error) {
        launcher->host.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (launcher->host.proc_fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open /proc");
        if (sweep_refuse_second_launcher(launcher->host.proc_fd, error) < 0)
                return -1;
        return sweep_end_leftovers(launcher->host.proc_fd, error);
}

static int make_base(Launcher *launcher, Error *error) {
        PlanBase *base = &launcher->host.base;
        int r, abi;

        launcher->landlock_abi = landlock_probe();
        abi = launcher->landlock_abi > 0 ? launcher->landlock_abi : 0;
        if (seccomp_restrict_sidecar(abi, error) < 0 ||
                seccomp_compile(abi, &launcher->seccomp, error) < 0)
                return -1;
        base->seccomp = &launcher->seccomp;
        base->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (base->null_fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open /dev/null");
        r = limits_raise_own(&base->files);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot raise the limit of open files");
        return 0;
}

static int make_network(Launcher *launcher, Error *error) {
        int r;

        if (network_create(launcher->host.proc_fd, &launcher->host.base.network_fd, error) < 0 ||
                serve_egress_prepare(launcher, error) < 0)
                return -1;
        if (capability_require(CAPABILITIES_FOR_LIFE, error) < 0)
                return -1;
        /* Nothing that is executed from here may gain one; what this process holds, it keeps. */
        r = capability_empty_bounding_set();
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot empty the bounding set");
        return 0;
}

static int open_listeners(Launcher *launcher, Error *error) {
        const Options *options = launcher->options;

        launcher->tls_listener = -1;
        if (faccessat(AT_FDCWD, options->tls_directory, F_OK, AT_EACCESS) < 0)
                log_line(LOG_LEVEL_WARNING,
                        "'%s' does not exist: the exec endpoint serves its unix socket alone",
                        options->tls_directory);
        else if (listener_open_tcp(options->port, &launcher->tls_listener, error) < 0)
                return -1;
        if (listener_open_unix(options->socket_directory, UNIX_SOCKET_NAME, SOCK_STREAM,
                    &launcher->unix_listener, error) < 0)
                return -1;
        return register_open(options->socket_directory, &launcher->registration, error);
}

static int start(Launcher *launcher, Error *error) {
        static char own_port[32]; /* of the exec endpoint: as long-lived as the role that is told */

        if (capability_require(CAPABILITIES_FOR_LIFE | CAPABILITIES_FOR_NETWORK, error) < 0 ||
                open_signals(launcher, error) < 0 || be_the_only_one(launcher, error) < 0 ||
                open_audit(launcher, error) < 0 || make_base(launcher, error) < 0 ||
                make_network(launcher, error) < 0 || open_listeners(launcher, error) < 0)
                return -1;
        launcher->host.audit = &launcher->audit;
        launcher->gateway = (Role){ .name = "gateway",
                .program = launcher->options->gateway,
                .uid = GATEWAY_UID,
                .control = -1 };
        (void)snprintf(own_port, sizeof(own_port), "--own-port=%u", launcher->options->port);
        launcher->egress = (Role){ .name = "egress",
                .program = launcher->options->egress,
                .arguments = { own_port, (char *)(uintptr_t) "--own-port=3128" },
                .uid = EGRESS_UID,
                .control = -1 };
        launcher->policy_fd = -1;
        serve_start_gateway(launcher);
        serve_start_egress(launcher);
        return 0;
}

int main(int argc, char **argv) {
        static Launcher launcher; /* large, and as long-lived as the process */
        static Options options;
        Error error;
        int r;

        log_open("navigator-sidecar", LOG_LEVEL_INFO);
        r = harden(&error);
        if (r == 0)
                r = options_parse(argc, argv, &options, &error);
        if (r > 0)
                return EXIT_SUCCESS;
        launcher.options = &options;
        if (r == 0)
                r = start(&launcher, &error);
        if (r == 0)
                memory_let_go_of_code();
        if (r < 0 || launcher_run(&launcher, &error) < 0) {
                (void)log_error(&error, "cannot serve");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
