/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Texts may quote the file: control bytes are replaced, so that a policy cannot move the cursor of
 * whoever reads what is wrong with it.
 */
#include "policy/diagnostic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int diagnostics_add(Diagnostics *diagnostics, PolicyPosition position, const char *format, ...) {
        Diagnostic *item;
        va_list args;

        diagnostics->total++;
        if (diagnostics->count == DIAGNOSTICS_MAX)
                return -1;
        item = &diagnostics->items[diagnostics->count++];
        item->position = position;
        va_start(args, format);
        (void)vsnprintf(item->text, sizeof(item->text), format, args);
        va_end(args);
        for (char *c = item->text; *c != '\0'; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        *c = '?';
        return -1;
}

int position_compare(PolicyPosition a, PolicyPosition b) {
        if (a.line != b.line)
                return a.line < b.line ? -1 : 1;
        return (a.column > b.column) - (a.column < b.column);
}

static int compare(const void *a, const void *b) {
        return position_compare(
                ((const Diagnostic *)a)->position, ((const Diagnostic *)b)->position);
}

void diagnostics_sort(Diagnostics *diagnostics) {
        qsort(diagnostics->items, diagnostics->count, sizeof(*diagnostics->items), compare);
}

int diagnostics_to_error(const Diagnostics *diagnostics, const char *name, Error *error) {
        const Diagnostic *first = &diagnostics->items[0];
        char more[48] = "";

        if (diagnostics->total > 1)
                (void)snprintf(more, sizeof(more), " (and %u more)", diagnostics->total - 1);
        if (first->position.line == 0)
                return error_set(error, ERROR_INPUT, 0, "%s: %s%s", name, first->text, more);
        return error_set(error, ERROR_INPUT, 0, "%s:%u:%u: %s%s", name, first->position.line,
                first->position.column, first->text, more);
}

const char *diagnostic_value(const char *value, char buffer[static DIAGNOSTIC_VALUE_MAX]) {
        size_t size = strlen(value), kept = DIAGNOSTIC_VALUE_MAX - 4;

        if (size < DIAGNOSTIC_VALUE_MAX) {
                memcpy(buffer, value, size + 1);
                return buffer;
        }
        while (kept > 0 && ((unsigned char)value[kept] & 0xc0) == 0x80)
                kept--; /* not in the middle of a character */
        memcpy(buffer, value, kept);
        memcpy(buffer + kept, "...", 4);
        return buffer;
}
