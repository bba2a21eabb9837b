/* SPDX-License-Identifier: Apache-2.0 */

/* Written by the chart, read once at the start: a key that is missing, unknown or of another kind
 * is a chart and a program of different versions, and ends the start. */
#include "webhook/settings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int unpack(Settings *settings, Error *error) {
        int user_namespaces = 0, default_container = 0;
        json_error_t where;

        if (json_unpack_ex(settings->document, &where, JSON_STRICT, "{s:o, s:o, s:o, s:b, s:b}",
                    "sidecar", &settings->sidecar, "volumes", &settings->volumes, "proxyVariables",
                    &settings->proxy_variables, "userNamespaces", &user_namespaces,
                    "defaultContainer", &default_container) < 0)
                return error_set(error, ERROR_INPUT, 0, "the settings are not this version's: %s",
                        where.text);
        settings->user_namespaces = user_namespaces != 0;
        settings->default_container = default_container != 0;
        return 0;
}

static bool is_named(const json_t *object) {
        return json_string_value(json_object_get(object, "name")) != NULL;
}

static int check_list(const char *key, const json_t *list, Error *error) {
        if (!json_is_array(list))
                return error_set(error, ERROR_INPUT, 0, "settings: '%s' is not a list", key);
        for (size_t i = 0; i < json_array_size(list); i++)
                if (!is_named(json_array_get(list, i)))
                        return error_set(
                                error, ERROR_INPUT, 0, "settings: %s[%zu] has no name", key, i);
        return 0;
}

static int check_variables(const Settings *settings, Error *error) {
        for (size_t i = 0; i < json_array_size(settings->proxy_variables); i++) {
                const json_t *variable = json_array_get(settings->proxy_variables, i);

                if (!json_is_string(json_object_get(variable, "value")) ||
                        json_object_size(variable) != 2)
                        return error_set(error, ERROR_INPUT, 0,
                                "settings: proxyVariables[%zu] is not a name and a value", i);
        }
        return 0;
}

static int check(const Settings *settings, Error *error) {
        if (!is_named(settings->sidecar))
                return error_set(error, ERROR_INPUT, 0, "settings: 'sidecar' is not a container");
        if (check_list("volumes", settings->volumes, error) < 0 ||
                check_list("proxyVariables", settings->proxy_variables, error) < 0)
                return -1;
        return check_variables(settings, error);
}

int settings_parse(const char *text, size_t size, Settings **ret_settings, Error *error) {
        cleanup(settings_freep) Settings *settings = calloc(1, sizeof(*settings));
        json_error_t where;

        if (settings == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the settings");
        settings->document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
        if (settings->document == NULL)
                return error_set(error, ERROR_INPUT, 0, "settings:%d:%d: %s", where.line,
                        where.column, where.text);
        if (unpack(settings, error) < 0 || check(settings, error) < 0)
                return -1;
        *ret_settings = take_ptr(settings);
        return 0;
}

Settings *settings_free(Settings *settings) {
        if (settings == NULL)
                return NULL;
        json_decref(settings->document);
        free(settings);
        return NULL;
}
