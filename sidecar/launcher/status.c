/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/status.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

printf_like(2, 3) static void say(char *text, const char *format, ...) {
        size_t used = strlen(text);
        va_list args;

        if (used > 0 && used + 2 < STATUS_TEXT_MAX)
                used += (size_t)snprintf(text + used, STATUS_TEXT_MAX - used, "; ");
        va_start(args, format);
        (void)vsnprintf(text + used, STATUS_TEXT_MAX - used, format, args);
        va_end(args);
}

static size_t count(const LandlockPlan *plan, const LandlockBits *bits) {
        size_t set = 0;

        for (size_t i = 0; i < plan->count; i++)
                set += landlock_bit(bits, i);
        return set;
}

void status_describe(const Target *target, const LandlockOutcome *outcome,
        char ret_text[static STATUS_TEXT_MAX]) {
        const LandlockPlan *plan = &target->landlock;
        size_t missing = count(plan, &outcome->skipped);
        size_t links = count(plan, &outcome->followed);

        ret_text[0] = '\0';
        if (plan->abi == 0)
                say(ret_text, "degraded: no Landlock");
        if (missing > 0)
                say(ret_text, "degraded: paths missing: %zu", missing);
        if (target->label[0] != '\0')
                say(ret_text, "degraded: %s", target->label);
        if (links > 0)
                say(ret_text, "links followed: %zu", links);
        if (plan->abi < LANDLOCK_ABI_UNIX_SOCKETS)
                say(ret_text, "limits: unix-sockets");
}
