/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Nothing of the launcher's own environment reaches a session: the list starts empty. The
 * workload's comes first, because an image is made to be run with its PATH and its settings; what
 * says who and where the session is follows; the caller has the last word on what is left.
 */
#include "sidecar/launcher/environment.h"

#include "base/proxy.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESERVED_PREFIX "NAVIGATOR_"
#define HOME_WITHOUT_PASSWD "/sandbox"
#define TERMINAL_DEFAULT "xterm" /* as container runtimes set it where the client says nothing */
#define TERMINAL_NONE "dumb"

static size_t name_size(const char *entry) {
        const char *end = strchr(entry, '=');

        return end != NULL ? (size_t)(end - entry) : 0;
}

static size_t find(const Environment *environment, const char *name, size_t size) {
        size_t at = 0;

        while (at < environment->count && (strncmp(environment->entries[at], name, size) != 0 ||
                                                  environment->entries[at][size] != '='))
                at++;
        return at;
}

static int make_room(Environment *environment, Error *error) {
        size_t room = environment->room == 0 ? 64 : 2 * environment->room;
        const char **entries;

        if (environment->count + 1 < environment->room)
                return 0;
        entries = reallocarray(environment->entries, room, sizeof(*entries));
        if (entries == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot build the environment");
        environment->entries = entries;
        environment->room = room;
        return 0;
}

int environment_add(Environment *environment, const char *entry, Error *error) {
        size_t size = name_size(entry);
        size_t at = find(environment, entry, size);

        if (size == 0)
                return 0;
        if (at < environment->count) {
                environment->entries[at] = entry;
                return 0;
        }
        if (make_room(environment, error) < 0)
                return -1;
        environment->entries[environment->count++] = entry;
        environment->entries[environment->count] = NULL;
        return 0;
}

int environment_put(Environment *environment, const char *name, const char *value, Error *error) {
        cleanup_free char *entry = NULL;

        assert(environment->owned_count < ENVIRONMENT_OWNED_MAX);
        if (asprintf(&entry, "%s=%s", name, value) < 0)
                return error_set(error, ERROR_OS, ENOMEM, "cannot build the environment");
        if (environment_add(environment, entry, error) < 0)
                return -1;
        environment->owned[environment->owned_count++] = take_ptr(entry);
        return 0;
}

const char *environment_get(const Environment *environment, const char *name) {
        size_t size = strlen(name);
        size_t at = find(environment, name, size);

        return at < environment->count ? environment->entries[at] + size + 1 : NULL;
}

Environment environment_done(Environment environment) {
        for (size_t i = 0; i < environment.owned_count; i++)
                free(environment.owned[i]);
        free(environment.entries);
        return (Environment){ 0 };
}

/* POSIX.1-2017, 8.1: letters, digits and underscore, not starting with a digit. */
static bool is_name(const char *text, size_t size) {
        if (size == 0 || isdigit((unsigned char)text[0]))
                return false;
        for (size_t i = 0; i < size; i++)
                if (!isalnum((unsigned char)text[i]) && text[i] != '_')
                        return false;
        return true;
}

static int add_callers(Environment *environment, const char *const *variables, Error *error) {
        for (size_t i = 0; variables[i] != NULL; i++) {
                size_t size = name_size(variables[i]);

                if (!is_name(variables[i], size))
                        return error_set(error, ERROR_INPUT, 0,
                                "environment variable '%.64s' is not NAME=value", variables[i]);
                if (strncmp(variables[i], RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0)
                        return error_set(error, ERROR_INPUT, 0,
                                "environment variable '%.*s': names that start with %s are "
                                "reserved",
                                (int)(size < 64 ? size : 64), variables[i], RESERVED_PREFIX);
                if (environment_add(environment, variables[i], error) < 0)
                        return -1;
        }
        return 0;
}

static const char *terminal_type(const WireSessionStart *start) {
        if (start->terminal[0] != '\0')
                return start->terminal;
        return (start->flags & WIRE_SESSION_TTY) != 0 ? TERMINAL_DEFAULT : TERMINAL_NONE;
}

int environment_build(const Record *record, const WireSessionStart *start,
        Environment *ret_environment, Error *error) {
        const RecordIdentity *identity = &record->identity;
        const char *home = identity->home[0] == '/' ? identity->home : HOME_WITHOUT_PASSWD;
        cleanup(environment_donep) Environment environment = { 0 };

        for (size_t i = 0; record->environment[i] != NULL; i++)
                if (environment_add(&environment, record->environment[i], error) < 0)
                        return -1;
        for (size_t i = 0; proxy_variables[i] != NULL; i++)
                if (environment_add(&environment, proxy_variables[i], error) < 0)
                        return -1;
        if (environment_put(&environment, "HOME", home, error) < 0 ||
                environment_put(&environment, "USER", identity->name, error) < 0 ||
                environment_put(&environment, "LOGNAME", identity->name, error) < 0 ||
                environment_add(&environment, "SHELL=/bin/sh", error) < 0 ||
                environment_put(&environment, "TERM", terminal_type(start), error) < 0 ||
                add_callers(&environment, start->environment, error) < 0)
                return -1;

        *ret_environment = take(environment, (Environment){ 0 });
        return 0;
}
