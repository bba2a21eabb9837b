/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A line is written from paths and values, in the order of the schema's table: where the path of a
 * value leaves the object that is open, that is closed, and what its path names is opened. What
 * says what a line is comes first, what may be long behind it, and room is kept for the end.
 */
#include "sidecar/audit/format.h"

#include "base/number.h"
#include "sidecar/audit/schema.h"
#include "sidecar/audit/shorthand.h"
#include "sidecar/audit/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define END_MAX 448U /* what metadata takes, the role's and the event's name at their longest */
#define EVENT_NAME_MAX 64U
#define DEPTH_MAX 4U
#define PATH_MAX_SIZE 64U

typedef struct Line {
        AuditText text;
        char open[PATH_MAX_SIZE]; /* the path of the object that is open: "actor.process." */
        unsigned depth;           /* how many names that has */
        bool cut;
} Line;

/* ---- objects ---- */

static size_t common(const char *one, const char *other) {
        size_t same = 0;

        for (size_t i = 0; one[i] != '\0' && one[i] == other[i]; i++)
                if (one[i] == '.')
                        same = i + 1;
        return same;
}

static void close_to(Line *line, size_t size) {
        for (const char *at = line->open + size; (at = strchr(at, '.')) != NULL; at++) {
                line->depth--;
                (void)audit_text_add(&line->text, "}");
        }
        line->open[size] = '\0';
}

static bool add_name(Line *line, const char *name, size_t size, const char *behind) {
        const char last = line->text.data[line->text.size - 1];

        return (last == '{' || audit_text_add(&line->text, ",")) &&
               audit_text_add(&line->text, "\"") && audit_text_append(&line->text, name, size) &&
               audit_text_add(&line->text, behind);
}

/* Opens what is missing; what is left of the path is the value's own name. */
static bool open_for(Line *line, const char *path, const char **ret_name) {
        const char *at = path + strlen(line->open);

        for (const char *dot; (dot = strchr(at, '.')) != NULL; at = dot + 1) {
                if (!add_name(line, at, (size_t)(dot - at), "\":{"))
                        return false;
                line->depth++;
                memcpy(line->open, path, (size_t)(dot + 1 - path));
                line->open[dot + 1 - path] = '\0';
        }
        *ret_name = at;
        return true;
}

static bool add_value(Line *line, const char *path, const char *value, bool quoted) {
        const char *name;

        return open_for(line, path, &name) &&
               add_name(line, name, strlen(name), quoted ? "\":\"" : "\":") &&
               audit_text_add(&line->text, value) && (!quoted || audit_text_add(&line->text, "\""));
}

/* All of it, or nothing: then the line is cut. */
static void add(Line *line, const char *path, const char *value, bool quoted) {
        Line before;

        assert(strlen(path) < PATH_MAX_SIZE);
        close_to(line, common(line->open, path));
        before = *line;
        line->text.room -= DEPTH_MAX; /* so that what is open can be closed */
        if (!add_value(line, path, value, quoted)) {
                *line = before;
                line->text.data[line->text.size] = '\0';
                line->cut = true;
        }
        line->text.room = before.text.room;
}

static void add_number(Line *line, const char *path, uint64_t value) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        add(line, path, text, false);
}

/* 0 says nothing, and is not said. */
static void add_some(Line *line, const char *path, uint64_t value) {
        if (value != 0)
                add_number(line, path, value);
}

static bool add_string(Line *line, const char *path, const char *value, size_t room) {
        char data[AUDIT_TEXT_MAX + 3];
        AuditText text = { .data = data, .room = sizeof(data) };
        bool cut = false;

        (void)audit_text_add_string(&text, value, room, &cut);
        add(line, path, data, false);
        return !cut;
}

/* ---- a line's parts ---- */

static void add_class(Line *line, const AuditForm *form) {
        add_number(line, "class_uid", form->class);
        add_number(line, "category_uid", form->class / 1000);
        add_number(line, "activity_id", form->activity);
        add_number(line, "type_uid", (uint64_t)form->class * 100 + form->activity);
}

static void add_time(Line *line, const struct timespec *time) {
        char second[32], text[64];
        struct tm parts;

        add_number(line, "time", (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_nsec / 1000000);
        (void)gmtime_r(&time->tv_sec, &parts);
        (void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &parts);
        (void)snprintf(text, sizeof(text), "%s.%03ldZ", second, time->tv_nsec / 1000000);
        add(line, "time_dt", text, true);
}

static void add_outcome(Line *line, const AuditForm *form) {
        add_number(line, "severity_id", form->outcome.severity);
        add_some(line, "status_id", form->outcome.status);
        add_some(line, "action_id", form->outcome.action);
        add_some(line, "disposition_id", form->outcome.disposition);
}

static void add_message(Line *line, const AuditEvent *event, const AuditForm *form) {
        char text[AUDIT_SHORTHAND_MAX];

        audit_shorthand(event, form, text);
        (void)add_string(line, "message", text, AUDIT_TEXT_MAX);
}

/* A text where OCSF wants one, also when it was a number here; and a number that a role, whose
 * values are all texts, sent. What is none stays a text: nothing that a role says is JSON. */
static void add_as(Line *line, const char *path, AuditKind kind, const char *value) {
        const bool text = value[0] == '"';
        uint64_t number;

        if (kind == AUDIT_KIND_TEXT)
                add(line, path, value, !text);
        else if (text && number_parse(value + 1, strlen(value) - 2, UINT64_MAX, &number))
                add_number(line, path, number);
        else
                add(line, path, value, false);
}

static void add_mapped(Line *line, const AuditEvent *event, AuditClass class) {
        size_t count;
        const AuditPath *paths = audit_paths(&count);

        for (size_t i = 0; i < count; i++) {
                const AuditPath *path = &paths[i];
                const char *value = path->constant;

                if ((path->classes & audit_class_bit(class)) == 0 ||
                        (path->role != NULL && strcmp(path->role, event->role) != 0))
                        continue;
                if (path->key != NULL)
                        value = audit_path(path->key, event->role, class) == path
                                        ? audit_find(event, path->key)
                                        : NULL;
                if (value != NULL && path->constant != NULL)
                        add(line, path->path, value, false);
                else if (value != NULL)
                        add_as(line, path->path, path->kind, value);
        }
}

static void add_unmapped(Line *line, const AuditEvent *event, AuditClass class, uint64_t lost) {
        const char *key, *value;
        char path[PATH_MAX_SIZE];

        add_some(line, "unmapped.lines_lost", lost);
        for (size_t at = 0; (value = audit_next(event, &at, &key)) != NULL;) {
                if (audit_path(key, event->role, class) != NULL)
                        continue;
                (void)snprintf(path, sizeof(path), "unmapped.%s", key);
                add(line, path, value, false);
        }
}

static void add_metadata(Line *line, const AuditEvent *event, uint64_t sequence) {
        bool cut = line->cut || event->cut;

        add(line, "metadata.version", AUDIT_SCHEMA_VERSION, true);
        add(line, "metadata.profiles", "[\"container\",\"datetime\",\"host\",\"security_control\"]",
                false);
        add(line, "metadata.product.name", "navigator", true);
        add(line, "metadata.product.version", NAVIGATOR_VERSION, true);
        add(line, "metadata.product.feature.name", event->role, true);
        if (!add_string(line, "metadata.event_code", event->name, EVENT_NAME_MAX))
                cut = true;
        add_number(line, "metadata.sequence", sequence);
        if (cut)
                add(line, "metadata.is_truncated", "true", false);
        close_to(line, 0);
}

size_t audit_format(
        const AuditEvent *event, const AuditStamp *stamp, char ret_line[static AUDIT_LINE_MAX]) {
        const AuditForm *form = audit_form(event);
        Line line = { .text = { .data = ret_line, .room = AUDIT_LINE_MAX - END_MAX } };
        bool whole;

        (void)audit_text_add(&line.text, "{");
        add_class(&line, form);
        add_time(&line, &stamp->time);
        add_outcome(&line, form);
        add_message(&line, event, form);
        add_mapped(&line, event, form->class);
        add_unmapped(&line, event, form->class, stamp->lost);
        line.text.room = AUDIT_LINE_MAX;
        add_metadata(&line, event, stamp->sequence);
        whole = audit_text_add(&line.text, "}\n");
        assert(whole); /* what is before END_MAX and what is in it are bounded */
        return line.text.size;
}
