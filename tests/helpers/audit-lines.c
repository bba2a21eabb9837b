/* SPDX-License-Identifier: Apache-2.0 */

/* What the launcher would write: for each line "role TAB event TAB key TAB value ..." of standard
 * input the line of the audit, at once. */
#include "sidecar/audit/audit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
        static char text[65536];
        AuditLog log = { .fd = STDOUT_FILENO };

        while (fgets(text, sizeof(text), stdin) != NULL) {
                char *rest = text, *role, *name, *key, *value;
                AuditEvent event;
                int r;

                text[strcspn(text, "\n")] = '\0';
                role = strsep(&rest, "\t");
                name = strsep(&rest, "\t");
                if (name == NULL)
                        return 2;
                audit_begin(&event, role, name);
                while ((key = strsep(&rest, "\t")) != NULL && (value = strsep(&rest, "\t")) != NULL)
                        audit_text(&event, key, value);
                while ((r = audit_write(&log, &event)) == -EAGAIN)
                        (void)poll(
                                &(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, -1);
                if (r < 0)
                        return 1;
        }
        return 0;
}
