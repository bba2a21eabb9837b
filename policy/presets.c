/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The texts are the files of policy/presets/, put into the program by cmake/EmbedTexts.cmake:
 * `navigator` is one file, and what it prints is what the tree has.
 */
#include "policy/presets.h"

#include "base/cleanup.h"
#include "base/number.h"
#include "policy/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "# begin python-index\n"
#define END "# end python-index\n"
#define PLACE_HOST "python-index.invalid"
#define PLACE_LINE "      - { host: " PLACE_HOST ", port: 443 }\n"

const Preset *preset_find(const char *name) {
        for (const Preset *preset = presets; preset->name != NULL; preset++)
                if (strcmp(preset->name, name) == 0)
                        return preset;
        return NULL;
}

const char *preset_summary(const Preset *preset, size_t *ret_size) {
        const char *line = strchr(preset->text, '\n');

        line = line != NULL && strncmp(line, "\n# ", 3) == 0 ? line + 3 : "";
        *ret_size = strcspn(line, "\n");
        return line;
}

static int print_host(FILE *out, const char *text, Error *error) {
        const char *colon = strrchr(text, ':');
        size_t size = colon != NULL ? (size_t)(colon - text) : strlen(text);
        char host[HOST_SIZE], given[HOST_SIZE];
        uint64_t port = 443;

        if (size >= sizeof(given) ||
                (colon != NULL && !number_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &port)))
                return error_set(error, ERROR_INPUT, 0,
                        "'%s' is not a host name, or a host name and a port", text);
        memcpy(given, text, size);
        given[size] = '\0';
        if (host_parse(given, host) != HOST_NAME || port == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "'%s' is not a host name, or a host name and a port", text);
        fprintf(out, "      - { host: %s, port: %u }\n", host, (unsigned)port);
        return 0;
}

/* The part between the marks, its place line replaced. */
static int print_part(
        FILE *out, const char *part, size_t size, const char *const *hosts, Error *error) {
        const char *place = memmem(part, size, PLACE_LINE, strlen(PLACE_LINE));
        const char *rest = place != NULL ? place + strlen(PLACE_LINE) : part;

        if (place != NULL)
                (void)fwrite(part, 1, (size_t)(place - part), out);
        for (; place != NULL && *hosts != NULL; hosts++)
                if (print_host(out, *hosts, error) < 0)
                        return -1;
        (void)fwrite(rest, 1, (size_t)(part + size - rest), out);
        return 0;
}

static int print_preset(FILE *out, const Preset *preset, const char *const *hosts, Error *error) {
        const char *begin = strstr(preset->text, "  " BEGIN), *part, *end, *behind;

        if (begin == NULL) {
                fputs(preset->text, out);
                return 0;
        }
        part = begin + strlen("  " BEGIN);
        end = strstr(part, "  " END);
        if (end == NULL)
                return error_set(
                        error, ERROR_INPUT, 0, "preset '%s' has no end of its part", preset->name);
        behind = end + strlen("  " END);
        (void)fwrite(preset->text, 1, (size_t)(begin - preset->text), out);
        if (hosts == NULL || hosts[0] == NULL) {
                fputs("  # python_packages is left out: no Python index was named (--python-index "
                      "HOST, --python-index-from-pip)\n",
                        out);
                behind += strspn(behind, "\n");
                fputc('\n', out);
        } else if (print_part(out, part, (size_t)(end - part), hosts, error) < 0) {
                return -1;
        }
        fputs(behind, out);
        return 0;
}

int preset_render(const Preset *preset, const char *const *hosts, char **ret_text, Error *error) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        int r;

        if (out == NULL)
                return error_set(error, ERROR_OS, errno, "no room for a preset");
        r = print_preset(out, preset, hosts, error);
        if (fclose(out) != 0 && r == 0)
                r = error_set(error, ERROR_OS, errno, "no room for a preset");
        if (r < 0)
                free(text);
        else
                *ret_text = text;
        return r;
}
