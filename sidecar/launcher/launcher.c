/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The loop: the list of what is watched is built anew each turn from what there is, so nothing can
 * be watched that has gone. A turn is: wait, hear each descriptor that has something, look at the
 * clock, forget what has ended.
 */
#include "sidecar/launcher/launcher.h"

#include "base/log.h"
#include "sidecar/launcher/clock.h"
#include "sidecar/launcher/intake.h"
#include "sidecar/launcher/reap.h"
#include "sidecar/launcher/reload.h"
#include "sidecar/launcher/serve.h"
#include "sidecar/launcher/serve_egress.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define RETRY_MS 20   /* an audit that is full, orphans that are dying */
#define WAITING_MS 50 /* a container that has not become its workload yet */
#define FAREWELL_MS 2000

typedef enum Source {
        SOURCE_SIGNALS,
        SOURCE_REGISTER,
        SOURCE_CONNECTION,
        SOURCE_GATEWAY,
        SOURCE_EGRESS,
        SOURCE_TARGET,
        SOURCE_CHILD,
        SOURCE_KEEPER,
} Source;

#define WATCHED_MAX                                                                                \
        (4U + REGISTER_CONNECTIONS_MAX + INTAKE_TARGETS_MAX + 2U * LAUNCHER_SESSIONS_MAX)

typedef struct Watched {
        Source source;
        union {
                Session *session; /* of CHILD and KEEPER */
                size_t index;     /* of CONNECTION */
        };
} Watched;

typedef struct Watch {
        struct pollfd fds[WATCHED_MAX];
        Watched what[WATCHED_MAX];
        nfds_t count;
} Watch;

static void watch_add(Watch *watch, int fd, Watched what) {
        if (fd < 0 || watch->count == WATCHED_MAX)
                return;
        watch->fds[watch->count] = (struct pollfd){ .fd = fd, .events = POLLIN };
        watch->what[watch->count] = what;
        watch->count++;
}

static void watch_build(Watch *watch, Launcher *launcher) {
        const Register *registration = &launcher->registration;

        watch->count = 0;
        watch_add(watch, launcher->signals, (Watched){ SOURCE_SIGNALS });
        watch_add(watch, registration->listener, (Watched){ SOURCE_REGISTER });
        for (size_t i = 0; i < REGISTER_CONNECTIONS_MAX; i++)
                watch_add(watch, registration->connections[i],
                        (Watched){ SOURCE_CONNECTION, .index = i });
        for (Session *session = launcher->sessions; session != NULL; session = session->next) {
                watch_add(watch, session->keeper.report_fd,
                        (Watched){ SOURCE_CHILD, .session = session });
                watch_add(watch, session->keeper.control,
                        (Watched){ SOURCE_KEEPER, .session = session });
        }
        if (launcher->gateway.state != ROLE_FAILED)
                watch_add(watch, launcher->gateway.control, (Watched){ SOURCE_GATEWAY });
        if (launcher->egress.state != ROLE_FAILED)
                watch_add(watch, launcher->egress.control, (Watched){ SOURCE_EGRESS });
        for (const Target *target = launcher->targets.first; target != NULL; target = target->next)
                if (target->state != TARGET_GONE)
                        watch_add(watch, target->pidfd, (Watched){ SOURCE_TARGET });
}

static int sooner(int timeout, int64_t wait) {
        int whole = wait < 0 ? 0 : (int)(wait < INT32_MAX ? wait : INT32_MAX);

        return timeout < 0 || whole < timeout ? whole : timeout;
}

static int patience(const Launcher *launcher, int64_t now) {
        int timeout = -1;

        for (const Session *session = launcher->sessions; session != NULL; session = session->next)
                if (session->state == SESSION_PREPARED)
                        timeout = sooner(timeout, RETRY_MS);
                else if (session->deadline != 0)
                        timeout = sooner(timeout, session->deadline - now);
        for (const Target *target = launcher->targets.first; target != NULL; target = target->next)
                if (target->state == TARGET_WAITING)
                        timeout = sooner(timeout, WAITING_MS);
        for (size_t i = 0; i < REGISTER_CONNECTIONS_MAX; i++)
                if (launcher->registration.connections[i] >= 0)
                        timeout = sooner(timeout, launcher->registration.deadlines[i] - now);
        if (launcher->gateway.state == ROLE_STOPPED && !launcher->ending)
                timeout = sooner(timeout, launcher->gateway.restart_at - now);
        if (launcher->egress.state == ROLE_STOPPED && !launcher->ending)
                timeout = sooner(timeout, launcher->egress.restart_at - now);
        if (launcher->policy_fd >= 0)
                timeout = sooner(timeout, launcher->reload_at - now);
        if (launcher->policy_deadline != 0)
                timeout = sooner(timeout, RELOAD_INTERVAL_MS);
        if (launcher->orphans || launcher->ending)
                timeout = sooner(timeout, RETRY_MS);
        return timeout;
}

static void hear_signals(Launcher *launcher) {
        struct signalfd_siginfo info;

        while (read(launcher->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
                if (info.ssi_signo != SIGCHLD)
                        launcher->ending = true;
        reap_children(launcher);
}

static void hear_register(Launcher *launcher) {
        Error error;

        if (register_accept(&launcher->registration, &error) < 0)
                (void)log_error(&error, "the hook's socket");
}

static void hear(Launcher *launcher, const Watch *watch, nfds_t at) {
        switch (watch->what[at].source) {
        case SOURCE_SIGNALS:
                hear_signals(launcher);
                return;
        case SOURCE_REGISTER:
                hear_register(launcher);
                return;
        case SOURCE_CONNECTION:
                intake_receive(launcher, watch->what[at].index);
                return;
        case SOURCE_GATEWAY:
                serve_hear_gateway(launcher);
                return;
        case SOURCE_EGRESS:
                serve_hear_egress(launcher);
                return;
        case SOURCE_CHILD:
                session_hear_child(watch->what[at].session);
                return;
        case SOURCE_KEEPER:
                session_hear_keeper(watch->what[at].session);
                return;
        case SOURCE_TARGET:
                return; /* intake_refresh() looks at it in a moment */
        }
}

static void look_at_clock(Launcher *launcher) {
        int64_t now = clock_milliseconds();

        for (Session *session = launcher->sessions; session != NULL; session = session->next) {
                session_check_deadline(session, now);
                launcher->orphans = launcher->orphans || session->state == SESSION_ORPHANED;
        }
        register_drop_late(&launcher->registration, now);
        if (launcher->orphans)
                reap_orphans(launcher);
        if (launcher->gateway.state == ROLE_FAILED)
                role_kill(&launcher->gateway);
        if (launcher->gateway.state == ROLE_STOPPED && !launcher->ending &&
                now >= launcher->gateway.restart_at)
                serve_start_gateway(launcher);
        if (launcher->egress.state == ROLE_FAILED)
                role_kill(&launcher->egress);
        if (launcher->egress.state == ROLE_STOPPED && !launcher->ending &&
                now >= launcher->egress.restart_at)
                serve_start_egress(launcher);
        intake_refresh(launcher);
        if (launcher->policy_deadline != 0)
                serve_tell_policy(launcher);
        reload_look(launcher, now);
}

static void forget_ended(Launcher *launcher) {
        Session **at = &launcher->sessions;

        while (*at != NULL) {
                Session *session = *at;

                if (session->state != SESSION_ENDED) {
                        at = &session->next;
                        continue;
                }
                *at = session->next;
                launcher->session_count--;
                (void)session_free(session);
        }
}

static void begin_farewell(Launcher *launcher) {
        for (Session *session = launcher->sessions; session != NULL; session = session->next)
                session_stop(session, "sidecar ends");
}

int launcher_run(Launcher *launcher, Error *error) {
        int64_t farewell = 0;
        Watch watch;

        while (farewell == 0 || (launcher->sessions != NULL && clock_milliseconds() < farewell)) {
                watch_build(&watch, launcher);
                if (poll(watch.fds, watch.count, patience(launcher, clock_milliseconds())) < 0 &&
                        errno != EINTR)
                        return error_set(error, ERROR_OS, errno, "cannot wait for events");
                for (nfds_t i = 0; i < watch.count; i++)
                        if (watch.fds[i].revents != 0)
                                hear(launcher, &watch, i);
                look_at_clock(launcher);
                forget_ended(launcher);
                if (launcher->ending && farewell == 0) {
                        farewell = clock_milliseconds() + FAREWELL_MS;
                        begin_farewell(launcher);
                }
        }
        return 0;
}
