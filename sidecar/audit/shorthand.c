/* SPDX-License-Identifier: Apache-2.0 */

/* Fields stand in it as JSON has them, without their quotes: an escape sequence that a caller chose
 * is seen as what it is, also by who prints the line to a terminal. */
#include "sidecar/audit/shorthand.h"

#include "sidecar/audit/text.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 120U

static void add_value(AuditText *text, const char *value) {
        size_t size = strlen(value);

        if (value[0] == '"') {
                value++;
                size -= 2;
        }
        if (size <= VALUE_MAX) {
                (void)audit_text_append(text, value, size);
                return;
        }
        (void)audit_text_append(text, value, VALUE_MAX);
        (void)audit_text_add(text, "...");
}

/* Expands one part of a template, up to its end. False when a field of it is not there. */
static bool expand(const AuditEvent *event, const char *part, size_t size, AuditText *text) {
        const char *end = part + size;

        for (const char *at = part; at < end; at++) {
                const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
                char key[AUDIT_KEY_MAX + 1];
                const char *value;

                if (close == NULL) {
                        (void)audit_text_append(text, at, 1);
                        continue;
                }
                (void)snprintf(key, sizeof(key), "%.*s", (int)(close - at - 1), at + 1);
                value = audit_find(event, key);
                if (value == NULL)
                        return false;
                add_value(text, value);
                at = close;
        }
        return true;
}

static void add_part(const AuditEvent *event, const char *part, size_t size, AuditText *text) {
        const size_t before = text->size;

        if (!expand(event, part, size, text)) {
                text->size = before;
                text->data[before] = '\0';
        }
}

/* Parts that may be missing are in <>; what is between them always stands. */
static void expand_all(const AuditEvent *event, const char *at, AuditText *text) {
        while (*at != '\0') {
                const char *close = *at == '<' ? strchr(at, '>') : NULL;

                if (close != NULL) {
                        add_part(event, at + 1, (size_t)(close - at - 1), text);
                        at = close + 1;
                } else {
                        size_t size = 1 + strcspn(at + 1, "<");

                        (void)expand(event, at, size, text);
                        at += size;
                }
        }
}

void audit_shorthand(
        const AuditEvent *event, const AuditForm *form, char ret_text[static AUDIT_SHORTHAND_MAX]) {
        AuditText text = { .data = ret_text, .room = AUDIT_SHORTHAND_MAX };
        bool cut = false;

        ret_text[0] = '\0';
        if (form->shorthand != NULL)
                expand_all(event, form->shorthand, &text);
        else
                (void)audit_text_add_string(&text, event->name, AUDIT_SHORTHAND_MAX / 2, &cut);
}
