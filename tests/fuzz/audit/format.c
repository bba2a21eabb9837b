/* SPDX-License-Identifier: Apache-2.0 */

/* An event as a hostile role may report it: role, name, key, value, key, value, ... each ended by a
 * NUL. Whatever it says, the line is JSON in ASCII with each key once, of bounded size, and its
 * role and sequence are the launcher's. */
#include "sidecar/audit/format.h"
#include "sidecar/audit/line.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *next_text(const char **at, const char *end) {
        const char *text = *at;

        *at = *at < end ? *at + strlen(*at) + 1 : end;
        return text;
}

static void check(const AuditEvent *event) {
        const AuditStamp stamp = { .time = { .tv_sec = 1764000000 }, .sequence = 42 };
        char text[AUDIT_LINE_MAX];
        const size_t size = audit_format(event, &stamp, text);
        cleanup(audit_line_freep) AuditLine *line = NULL;

        if (size >= AUDIT_LINE_MAX || text[size - 1] != '\n')
                abort();
        for (size_t i = 0; i + 1 < size; i++)
                if (text[i] < 0x20 || text[i] > 0x7e)
                        abort();
        line = audit_line_read(text, size - 1);
        if (line == NULL || strcmp(audit_line_get(line, "role"), event->role) != 0 ||
                strcmp(audit_line_get(line, "sequence"), "42") != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const roles[] = { "launcher", "gateway", "egress" };
        static char text[8192];
        static AuditEvent event;
        const char *at = text + 1, *end = text + size;

        if (size < 2 || size >= sizeof(text))
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';
        audit_begin(&event, roles[(unsigned char)text[0] % 3], next_text(&at, end));
        while (at < end) {
                const char *key = next_text(&at, end), *value = next_text(&at, end);

                if (audit_is_key(key) && audit_find(&event, key) == NULL)
                        audit_text(&event, key, value);
        }
        check(&event);
        return 0;
}
