/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/audit/event.h"

#include "base/sha256.h"
#include "sidecar/audit/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool audit_is_key(const char *text) {
        size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
        static const char *const stamped[] = { "time", "sequence", "role", "event", "lines_lost",
                "cut" };

        for (size_t i = 0; i < sizeof(stamped) / sizeof(stamped[0]); i++)
                if (strcmp(text, stamped[i]) == 0)
                        return false;
        return size > 0 && size <= AUDIT_KEY_MAX && text[size] == '\0';
}

void audit_begin(AuditEvent *event, const char *role, const char *name) {
        event->role = role;
        event->name = name;
        event->size = 0;
        event->cut = false;
}

/* The event's free space, as text: keys are words of ours or pass audit_is_key(), so they need no
 * escapes, and a JSON value has no NUL. */
static AuditText begin_field(AuditEvent *event, const char *key) {
        AuditText field = { .data = event->text + event->size,
                .room = sizeof(event->text) - event->size };

        if (field.room == 0 || !audit_text_append(&field, key, strlen(key) + 1))
                field.room = 0;
        return field;
}

/* Counts what `field` has into the event, the NUL behind it included. */
static void end_field(AuditEvent *event, const AuditText *field, bool whole) {
        if (whole && field->room > 0)
                event->size += field->size + 1;
        else
                event->cut = true;
}

void audit_text(AuditEvent *event, const char *key, const char *value) {
        AuditText field;

        if (value[0] == '\0')
                return;
        field = begin_field(event, key);
        end_field(event, &field, audit_text_add_string(&field, value, AUDIT_TEXT_MAX, &event->cut));
}

static void add_raw(AuditEvent *event, const char *key, const char *value) {
        AuditText field = begin_field(event, key);

        end_field(event, &field, audit_text_add(&field, value));
}

void audit_number(AuditEvent *event, const char *key, uint64_t value) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        add_raw(event, key, text);
}

void audit_flag(AuditEvent *event, const char *key, bool value) {
        add_raw(event, key, value ? "true" : "false");
}

static bool add_items(AuditEvent *event, AuditText *field, const char *const *values, size_t room) {
        const size_t end = field->size + room;

        if (!audit_text_add(field, "["))
                return false;
        for (size_t i = 0; values[i] != NULL; i++) {
                const size_t before = field->size;

                if (before + 3 <= end && (i == 0 || audit_text_add(field, ",")) &&
                        audit_text_add_string(field, values[i], end - before, &event->cut))
                        continue;
                field->size = before;
                event->cut = true;
                break;
        }
        return audit_text_add(field, "]");
}

void audit_list(AuditEvent *event, const char *key, const char *const *values, size_t room) {
        AuditText field = begin_field(event, key);

        end_field(event, &field, add_items(event, &field, values, room));
}

void audit_digest(AuditEvent *event, const char *key, const char *const *values) {
        uint8_t digest[SHA256_SIZE];
        char text[SHA256_TEXT_SIZE];
        Sha256 hash;

        sha256_begin(&hash);
        for (size_t i = 0; values[i] != NULL; i++)
                sha256_add(&hash, values[i], strlen(values[i]) + 1);
        sha256_end(&hash, digest);
        sha256_text(digest, text);
        audit_text(event, key, text);
}

const char *audit_next(const AuditEvent *event, size_t *at, const char **ret_key) {
        const char *key = event->text + *at, *value;

        if (*at >= event->size)
                return NULL;
        value = key + strlen(key) + 1;
        *at = (size_t)(value - event->text) + strlen(value) + 1;
        *ret_key = key;
        return value;
}

const char *audit_find(const AuditEvent *event, const char *key) {
        const char *found, *value;

        for (size_t at = 0; (value = audit_next(event, &at, &found)) != NULL;)
                if (strcmp(found, key) == 0)
                        return value;
        return NULL;
}
