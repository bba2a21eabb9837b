/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Debian's /etc/profile sets PATH to its own value, Alpine's too: a venv or tool that the image put
 * there would be lost in every login shell. The script puts the image's value back in front, and
 * keeps what other scripts of /etc/profile.d have added.
 */
#include "hook/profile.h"

#include "base/cleanup.h"
#include "base/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Text in single quotes: nothing inside them is special to the shell, and a quote is written as
 * '\''. */
static void put_quoted(FILE *stream, const char *text) {
        (void)fputc('\'', stream);
        for (; *text != '\0'; text++) {
                if (*text == '\'')
                        (void)fputs("'\\''", stream);
                else
                        (void)fputc(*text, stream);
        }
        (void)fputc('\'', stream);
}

static void put_path(FILE *stream, const char *path) {
        (void)fputs("case \":$PATH:\" in\n*:", stream);
        put_quoted(stream, path);
        (void)fputs(":*) ;;\n*) PATH=", stream);
        put_quoted(stream, path);
        (void)fputs("${PATH:+\":$PATH\"} ;;\nesac\nexport PATH\n", stream);
}

static void put_exports(FILE *stream, const char *const *variables) {
        for (size_t i = 0; variables != NULL && variables[i] != NULL; i++) {
                size_t name = strcspn(variables[i], "=");

                (void)fprintf(stream, "%.*s=", (int)name, variables[i]);
                put_quoted(stream, variables[i] + name + 1);
                (void)fprintf(stream, "\nexport %.*s\n", (int)name, variables[i]);
        }
}

static void put_lines(FILE *stream, const char *const *variables) {
        for (size_t i = 0; variables != NULL && variables[i] != NULL; i++)
                (void)fprintf(stream, "%s\n", variables[i]);
}

static int finish(FILE *stream, char **text, char **ret_text, Error *error) {
        int failed = ferror(stream);

        if (fclose(stream) != 0 || failed)
                return error_set(error, ERROR_OS, ENOMEM, "cannot write the proxy settings");
        *ret_text = take_ptr(*text);
        return 0;
}

int profile_script(const char *path, const char *const *more, char **ret_text, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (stream == NULL)
                return error_set(error, ERROR_OS, errno, "cannot write the proxy settings");
        (void)fputs("# Written by navigator-hook for this container: the image's PATH, and the "
                    "egress proxy.\n",
                stream);
        if (path != NULL && path[0] != '\0')
                put_path(stream, path);
        put_exports(stream, proxy_variables);
        put_exports(stream, more);
        return finish(stream, &text, ret_text, error);
}

int profile_environment(const char *const *more, char **ret_text, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (stream == NULL)
                return error_set(error, ERROR_OS, errno, "cannot write the proxy settings");
        put_lines(stream, proxy_variables);
        put_lines(stream, more);
        return finish(stream, &text, ret_text, error);
}
