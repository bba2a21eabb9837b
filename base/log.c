/* SPDX-License-Identifier: Apache-2.0 */

#include "base/log.h"

#include "base/fd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The log target: the one piece of mutable file-scope state in the tree. */
static const char *log_program = "navigator";
static LogLevel log_most = LOG_LEVEL_INFO;

static const char *const level_names[] = {
        [LOG_LEVEL_ERROR] = "error: ",
        [LOG_LEVEL_WARNING] = "warning: ",
        [LOG_LEVEL_INFO] = "",
        [LOG_LEVEL_DEBUG] = "debug: ",
};

void log_open(const char *program, LogLevel most) {
        log_program = program;
        log_most = most;
}

static void write_line(LogLevel level, const char *text) {
        char line[2 * ERROR_TEXT_MAX + 128];
        int size = snprintf(line, sizeof(line) - 1, "%s: %s%s", log_program, level_names[level], text);

        if (size < 0)
                return;
        if ((size_t)size >= sizeof(line) - 1)
                size = (int)sizeof(line) - 2;
        for (int i = 0; i < size; i++)
                if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
                        line[i] = '?';
        line[size] = '\n';
        (void)fd_write_full(STDERR_FILENO, line, (size_t)size + 1);
}

void log_line(LogLevel level, const char *format, ...) {
        char text[2 * ERROR_TEXT_MAX];
        va_list args;

        if (level > log_most)
                return;
        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        write_line(level, text);
}

int log_error(const Error *error, const char *format, ...) {
        char what[ERROR_TEXT_MAX];
        char text[2 * ERROR_TEXT_MAX + 4];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(what, sizeof(what), format, args);
        va_end(args);
        (void)snprintf(text, sizeof(text), "%s: %s", what, error->text);
        write_line(LOG_LEVEL_ERROR, text);
        return -1;
}
