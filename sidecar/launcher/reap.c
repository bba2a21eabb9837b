/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The launcher is a subreaper too: when a keeper is killed (by the node's memory, or by a root in
 * the workload) the processes it kept become children of the launcher. A child that is neither a
 * role nor a keeper is such an orphan, and the head of a tree that has to end.
 */
#include "sidecar/launcher/reap.h"

#include "base/log.h"
#include "sidecar/launcher/serve.h"
#include "sidecar/launcher/serve_egress.h"
#include "sidecar/launcher/tree.h"

#include <string.h>
#include <sys/wait.h>

static void tell_of_role(const Launcher *launcher, const Role *role, int status) {
        if (!launcher->ending)
                log_line(LOG_LEVEL_WARNING, "%s has ended: %s %d", role->name,
                        WIFSIGNALED(status) ? "signal" : "exit code",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void take_child(Launcher *launcher, pid_t pid, int status) {
        if (pid == launcher->gateway.pid) {
                tell_of_role(launcher, &launcher->gateway, status);
                serve_lose_gateway(launcher);
                return;
        }
        if (pid == launcher->egress.pid) {
                tell_of_role(launcher, &launcher->egress, status);
                serve_lose_egress(launcher);
                return;
        }
        for (Session *session = launcher->sessions; session != NULL; session = session->next)
                if (session->keeper.pid == pid) {
                        session->keeper.pid = 0; /* the number may come back as another process */
                        session_hear_keeper(session);
                        return;
                }
}

void reap_children(Launcher *launcher) {
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
                take_child(launcher, pid, status);
}

static bool is_orphan(void *context, pid_t pid) {
        const Launcher *launcher = context;

        if (pid == launcher->gateway.pid || pid == launcher->egress.pid)
                return false;
        for (const Session *session = launcher->sessions; session != NULL; session = session->next)
                if (session->keeper.pid == pid)
                        return false;
        return true;
}

void reap_orphans(Launcher *launcher) {
        const TreeScope scope = {
                .proc_fd = launcher->host.proc_fd, .is_head = is_orphan, .context = launcher
        };
        size_t count = 0;
        int r = tree_kill(&scope, &count);

        if (r < 0) {
                log_line(LOG_LEVEL_ERROR, "cannot look for orphans: %s", strerrordesc_np(-r));
                return;
        }
        reap_children(launcher);
        if (count > 0)
                return;
        launcher->orphans = false;
        for (Session *session = launcher->sessions; session != NULL; session = session->next) {
                if (session->state != SESSION_ORPHANED)
                        continue;
                /* A dying process closes its descriptors before its children get a new parent:
                 * until the keeper is reaped they cannot be seen. */
                if (session->keeper.pid == 0)
                        session_bury(session);
                else
                        launcher->orphans = true;
        }
}
