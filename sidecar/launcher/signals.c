/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

int signals_reset(void) {
        const struct sigaction usual = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)sigaction(number, &usual, NULL); /* fails for those that cannot be changed */
        (void)sigemptyset(&none);
        return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}
