/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The first process of a pod: holds the pod's namespaces and, as pid 1 of a shared pid namespace, reaps what is orphaned there. It stands in
 * for the pause image that podman would fetch from a registry.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int main(void) {
        sigset_t signals;
        int signal = 0;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return 1;

        /* Blocked and waited for, never handled: a signal between two calls cannot be lost. */
        while (sigwait(&signals, &signal) == 0 && signal == SIGCHLD) {
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        continue;
        }
        return 0;
}
