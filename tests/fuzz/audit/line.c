/* SPDX-License-Identifier: Apache-2.0 */

/* A line from anywhere, as the command line reads it. What is shown as JSON reads as the same line.
 */
#include "sidecar/audit/line.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
        cleanup(audit_line_freep) AuditLine *line = audit_line_read((const char *)data, size);
        cleanup(audit_line_freep) AuditLine *again = NULL;
        cleanup_free char *json = NULL;

        if (line == NULL)
                return 0;
        (void)audit_line_get(line, "host");
        json = audit_line_json(line);
        if (json == NULL)
                abort();
        again = audit_line_read(json, strlen(json));
        if (again == NULL && strlen(json) <= AUDIT_LINE_READ_MAX)
                abort();
        return 0;
}
