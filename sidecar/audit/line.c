/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/audit/line.h"

#include "sidecar/audit/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 96U
#define FIELD_PATH_MAX 96U
#define DEPTH_MAX 8U

typedef struct LineField {
        char name[FIELD_PATH_MAX];
        char *value; /* owned */
} LineField;

struct AuditLine {
        json_t *json; /* owned */
        const char *role;
        AuditClass class;
        LineField fields[FIELDS_MAX];
        size_t count;
};

/* What the log stamps. */
static const struct {
        const char *path, *name;
} stamps[] = {
        { "metadata.event_code", "event" },
        { "metadata.product.feature.name", "role" },
        { "metadata.sequence", "sequence" },
        { "metadata.is_truncated", "cut" },
        { "class_uid", "class" },
        { "time_dt", "time" },
        { "time", "milliseconds_since_1970" },
};

static const char *name_of(const AuditLine *line, const char *path) {
        const unsigned bit = audit_class_bit(line->class);
        const char *prefix = "unmapped.";
        size_t count;
        const AuditPath *paths = audit_paths(&count);

        if (strncmp(path, prefix, strlen(prefix)) == 0)
                return path + strlen(prefix);
        for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++)
                if (strcmp(stamps[i].path, path) == 0)
                        return stamps[i].name;
        for (size_t i = 0; i < count; i++)
                if (paths[i].key != NULL && (paths[i].classes & bit) != 0 &&
                        strcmp(paths[i].path, path) == 0 &&
                        audit_path(paths[i].key, line->role, line->class) == &paths[i])
                        return paths[i].key;
        return path;
}

static char *text_of(const json_t *value) {
        if (json_is_string(value))
                return strdup(json_string_value(value));
        return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
}

static int add(AuditLine *line, const char *path, const json_t *value) {
        LineField *field = &line->fields[line->count];

        if (line->count == FIELDS_MAX)
                return 0;
        (void)snprintf(field->name, sizeof(field->name), "%s", name_of(line, path));
        field->value = text_of(value);
        if (field->value == NULL)
                return -1;
        line->count++;
        return 0;
}

static int add_all(AuditLine *line, const char *above, json_t *object, unsigned depth) {
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value) {
                char path[FIELD_PATH_MAX];
                int size = snprintf(
                        path, sizeof(path), "%s%s%s", above, above[0] != '\0' ? "." : "", key);
                int r;

                if (size < 0 || (size_t)size >= sizeof(path) || depth == DEPTH_MAX)
                        continue;
                r = json_is_object(value) ? add_all(line, path, value, depth + 1)
                                          : add(line, path, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const json_t *find(const json_t *json, const char *const *names) {
        for (; *names != NULL; names++)
                json = json_object_get(json, *names);
        return json;
}

static bool is_ours(const json_t *json) {
        static const char *const product[] = { "metadata", "product", "name", NULL };
        const char *name = json_string_value(find(json, product));

        return name != NULL && strcmp(name, "navigator") == 0;
}

AuditLine *audit_line_read(const char *text, size_t size) {
        static const char *const role[] = { "metadata", "product", "feature", "name", NULL };
        cleanup(audit_line_freep) AuditLine *line = calloc(1, sizeof(*line));

        if (line == NULL || size == 0 || text[0] != '{' || size > AUDIT_LINE_READ_MAX)
                return NULL;
        line->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
        if (line->json == NULL || !is_ours(line->json))
                return NULL;
        line->role = json_string_value(find(line->json, role));
        if (line->role == NULL)
                line->role = "";
        line->class = (AuditClass)json_integer_value(json_object_get(line->json, "class_uid"));
        return add_all(line, "", line->json, 0) == 0 ? take_ptr(line) : NULL;
}

AuditLine *audit_line_free(AuditLine *line) {
        if (line == NULL)
                return NULL;
        for (size_t i = 0; i < line->count; i++)
                free(line->fields[i].value);
        json_decref(line->json);
        free(line);
        return NULL;
}

const char *audit_line_get(const AuditLine *line, const char *field) {
        for (size_t i = 0; i < line->count; i++)
                if (strcmp(line->fields[i].name, field) == 0)
                        return line->fields[i].value;
        return NULL;
}

char *audit_line_json(const AuditLine *line) {
        return json_dumps(line->json, JSON_COMPACT | JSON_ENSURE_ASCII);
}
