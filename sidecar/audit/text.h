/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AuditText: bounded text that is put together, and JSON strings in it.
 *
 * A JSON writer of our own, because the process that holds the capabilities links no library for
 * it. What it writes is ASCII only, whatever bytes a caller chose.
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct AuditText {
        char *data;  /* borrowed; NUL-terminated once something was appended */
        size_t size; /* without the NUL */
        size_t room; /* of data, the NUL included */
} AuditText;

/* All of it, or nothing and false. */
bool audit_text_append(AuditText *text, const char *more, size_t size);
bool audit_text_add(AuditText *text, const char *more);
/* A JSON string with its quotes, cut where it would be longer than `room` or than there is place:
 * then *cut becomes true. False when not even the quotes fit, and nothing was written. */
bool audit_text_add_string(AuditText *text, const char *value, size_t room, bool *cut);
