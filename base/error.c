/* SPDX-License-Identifier: Apache-2.0 */

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in a message may come from an image or a caller: they must not be able to start a line or move a cursor. */
static void make_printable(char *text) {
        for (; *text != '\0'; text++)
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        *text = '?';
}

int error_set(Error *error, ErrorKind kind, int code, const char *format, ...) {
        va_list args;
        size_t used;

        if (error == NULL)
                return -1;

        error->kind = kind;
        error->code = code;
        va_start(args, format);
        (void)vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);

        used = strlen(error->text);
        if (code != 0 && used + 3 < sizeof(error->text)) {
                /* strerrordesc_np: no locale, no allocation, so it is also right in a forked child */
                const char *why = strerrordesc_np(code);

                (void)snprintf(error->text + used, sizeof(error->text) - used, ": %s",
                        why != NULL ? why : "unknown error");
        }
        make_printable(error->text);
        return -1;
}

int error_context(Error *error, const char *format, ...) {
        char before[ERROR_TEXT_MAX];
        char whole[2 * ERROR_TEXT_MAX + 4];
        va_list args;

        if (error == NULL)
                return -1;

        va_start(args, format);
        (void)vsnprintf(before, sizeof(before), format, args);
        va_end(args);

        (void)snprintf(whole, sizeof(whole), "%s: %s", before, error->text);
        whole[sizeof(error->text) - 1] = '\0';
        memcpy(error->text, whole, sizeof(error->text));
        make_printable(error->text);
        return -1;
}
