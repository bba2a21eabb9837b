/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/filter.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static int parse(const char *text, Filter *filter, Error *error) {
        const char *equals = strchr(text, '=');
        size_t size = equals != NULL ? (size_t)(equals - text) : 0;

        filter->refuses = size > 0 && text[size - 1] == '!';
        size -= filter->refuses;
        if (size == 0 || size >= sizeof(filter->field))
                return error_set(error, ERROR_INPUT, 0,
                        "'%s' is no filter: one is FIELD=VALUE or FIELD!=VALUE, as verdict=denied",
                        text);
        (void)snprintf(filter->field, sizeof(filter->field), "%.*s", (int)size, text);
        filter->pattern = equals + 1;
        return 0;
}

int filters_parse(char **arguments, int count, Filters *ret_filters, Error *error) {
        Filters filters = { 0 };

        if (count > (int)FILTERS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "more than %u filters", FILTERS_MAX);
        for (; filters.count < (size_t)count; filters.count++)
                if (parse(arguments[filters.count], &filters.items[filters.count], error) < 0)
                        return -1;
        *ret_filters = filters;
        return 0;
}

static bool fits(Filter *filter, const AuditLine *line) {
        const char *value = audit_line_get(line, filter->field);

        filter->seen = filter->seen || value != NULL;
        return value != NULL && fnmatch(filter->pattern, value, 0) == 0;
}

static bool same_field(const Filter *one, const Filter *other) {
        return !one->refuses && !other->refuses && strcmp(one->field, other->field) == 0;
}

static bool one_of_field_fits(Filters *filters, const Filter *like, const AuditLine *line) {
        bool found = false;

        for (size_t i = 0; i < filters->count; i++)
                if (same_field(&filters->items[i], like))
                        found = fits(&filters->items[i], line) || found;
        return found;
}

bool filters_match(Filters *filters, const AuditLine *line) {
        bool match = true;

        for (size_t i = 0; i < filters->count; i++) {
                Filter *filter = &filters->items[i];

                match = (filter->refuses ? !fits(filter, line)
                                         : one_of_field_fits(filters, filter, line)) &&
                        match;
        }
        return match;
}
