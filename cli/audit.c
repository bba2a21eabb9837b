/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The launcher keeps its newest lines in a file beside its sockets; everywhere else the audit is
 * the container's log. Both are shown the same way. What is printed to a terminal is ASCII without
 * control characters, whoever wrote the line.
 */
#include "cli/audit.h"

#include "base/number.h"
#include "cli/filter.h"
#include "cli/follow.h"
#include "sidecar/audit/recent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_MAX 1000U
#define LAST_WHEN_FOLLOWING 10U

typedef struct Show {
        Filters filters;
        bool json, colour;
        bool holding;         /* the last lines, until all that was there is read */
        size_t last;          /* how many */
        char *held[LAST_MAX]; /* owned; a ring */
        size_t held_count;
        uint64_t sequence; /* of the line before */
} Show;

/* ---- reading ---- */

typedef struct Reading {
        AuditReader *reader;
        void *context;
} Reading;

static bool read_line(void *context, const char *text, size_t size) {
        const Reading *reading = context;
        cleanup(audit_line_freep) AuditLine *line = audit_line_read(text, size);

        return line == NULL || reading->reader(reading->context, line);
}

static int read_file(const char *path, Reading *reading, Error *error) {
        const FollowOptions options = {
                .path = path,
                .longest = AUDIT_LINE_READ_MAX,
                .found = read_line,
                .context = reading,
        };

        return follow(&options, error);
}

static int explain_missing(Error *error) {
        return error_set(error, ERROR_INPUT, ENOENT,
                "there is no '%s': this is not the sidecar's container, or no launcher runs in it; "
                "elsewhere the audit is its log: kubectl logs POD -c navigator | navigator audit "
                "--file -",
                AUDIT_RECENT_PATH);
}

/* The lines before a rotation; there may have been none. */
static int read_older(Reading *reading, Error *error) {
        int r = read_file(AUDIT_RECENT_OLD_PATH, reading, error);

        return r < 0 && error->code == ENOENT ? 0 : r;
}

int audit_read(const char *path, AuditReader *reader, void *context, Error *error) {
        Reading reading = { .reader = reader, .context = context };
        int r;

        if (path != NULL)
                return read_file(path, &reading, error);
        r = read_older(&reading, error);
        if (r == 0)
                r = read_file(AUDIT_RECENT_PATH, &reading, error);
        return r < 0 && error->code == ENOENT ? explain_missing(error) : r;
}

/* ---- showing ---- */

static const char *colour_of(const AuditLine *line) {
        static const struct {
                const char *field, *value, *colour;
        } colours[] = {
                { "action_id", "2", "\033[31m" }, /* denied */
                { "action_id", "3", "\033[33m" }, /* let through */
                { "status_id", "2", "\033[33m" },
                { "action_id", "1", "\033[32m" },
        };

        for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
                const char *value = audit_line_get(line, colours[i].field);

                if (value != NULL && strcmp(value, colours[i].value) == 0)
                        return colours[i].colour;
        }
        return "";
}

static void make_plain(char *text) {
        for (; *text != '\0'; text++)
                if (*text < 0x20 || *text > 0x7e)
                        *text = '?';
}

static const char *or_empty(const char *text) {
        return text != NULL ? text : "";
}

/* "2026-11-24T17:33:17.123Z denied: /usr/bin/curl (58) -> evil.test:443, ..." */
static char *describe(const Show *show, const AuditLine *line) {
        const char *colour = show->colour ? colour_of(line) : "";
        const char *lost = audit_line_get(line, "lines_lost");
        cleanup_free char *plain = NULL;
        char *text = NULL;

        if (asprintf(&plain, "%s %s%s%s%s", or_empty(audit_line_get(line, "time")),
                    or_empty(audit_line_get(line, "message")), lost != NULL ? " (" : "",
                    or_empty(lost), lost != NULL ? " lines before it were lost)" : "") < 0)
                return NULL;
        make_plain(plain);
        if (asprintf(&text, "%s%s%s", colour, plain, colour[0] != '\0' ? "\033[0m" : "") < 0)
                return NULL;
        return text;
}

static void hold(Show *show, char *text) {
        size_t at;

        if (show->last == 0) {
                free(text);
                return;
        }
        at = show->held_count++ % show->last;
        free(show->held[at]);
        show->held[at] = text;
}

static void let_go(void *context) {
        const Reading *reading = context;
        Show *show = reading->context;
        const size_t count = show->held_count < show->last ? show->held_count : show->last;

        for (size_t i = show->held_count - count; i < show->held_count; i++) {
                puts(show->held[i % show->last]);
                free(take_ptr(show->held[i % show->last]));
        }
        show->held_count = 0;
        show->holding = false;
        (void)fflush(stdout);
}

/* A gap in the numbers of one launcher: a file that was rotated away, a log that was cut. */
static void notice_gap(Show *show, const AuditLine *line) {
        const char *text = audit_line_get(line, "sequence");
        uint64_t sequence = 0;

        if (text == NULL || !number_parse(text, strlen(text), UINT64_MAX, &sequence))
                return;
        if (show->sequence != 0 && sequence > show->sequence + 1)
                fprintf(stderr, "navigator audit: lines %llu to %llu are not here\n",
                        (unsigned long long)show->sequence + 1, (unsigned long long)sequence - 1);
        show->sequence = sequence;
}

static bool show_line(void *context, const AuditLine *line) {
        Show *show = context;
        char *text;

        notice_gap(show, line);
        if (!filters_match(&show->filters, line))
                return true;
        text = show->json ? audit_line_json(line) : describe(show, line);
        if (text == NULL)
                return true;
        if (show->holding) {
                hold(show, text);
                return true;
        }
        puts(text);
        free(text);
        return ferror(stdout) == 0;
}

static void say_unseen(const Show *show) {
        for (size_t i = 0; i < show->filters.count; i++)
                if (!show->filters.items[i].seen)
                        fprintf(stderr, "navigator audit: no line has a field '%s'\n",
                                show->filters.items[i].field);
}

/* ---- the verb ---- */

static int parse_options(const Invocation *invocation, Show *show) {
        const bool following = verb_value(invocation, "follow") != NULL;
        const char *text = verb_value(invocation, "last");
        uint64_t last = LAST_WHEN_FOLLOWING;
        Error error = { 0 };

        if (text != NULL && !number_parse(text, strlen(text), LAST_MAX, &last))
                return verb_misused(
                        invocation, "--last takes a number up to %u, not '%s'", LAST_MAX, text);
        if (filters_parse(invocation->arguments, invocation->count, &show->filters, &error) < 0)
                return verb_misused(invocation, "%s", error.text);
        show->last = (size_t)last;
        show->holding = following || text != NULL;
        show->json = verb_wants_json(invocation);
        show->colour = !show->json && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
        if (following)
                (void)setvbuf(stdout, NULL, _IOLBF, 0);
        return VERB_YES;
}

static int show_all(const Invocation *invocation, Show *show, Error *error) {
        const char *path = verb_value(invocation, "file");
        Reading reading = { .reader = show_line, .context = show };
        const FollowOptions options = {
                .path = path != NULL ? path : AUDIT_RECENT_PATH,
                .wait = verb_value(invocation, "follow") != NULL,
                .output = STDOUT_FILENO,
                .longest = AUDIT_LINE_READ_MAX,
                .found = read_line,
                .caught_up = show->holding ? let_go : NULL,
                .context = &reading,
        };
        int r = path == NULL ? read_older(&reading, error) : 0;

        if (r == 0)
                r = follow(&options, error);
        return r < 0 && path == NULL && error->code == ENOENT ? explain_missing(error) : r;
}

int audit_run(const Invocation *invocation) {
        cleanup_free Show *show = calloc(1, sizeof(*show));
        Error error = { 0 };
        int code = show != NULL ? parse_options(invocation, show) : VERB_ERROR;

        if (code != VERB_YES)
                return code;
        if (show_all(invocation, show, &error) < 0) {
                fprintf(stderr, "%s: %s\n", invocation->title, error.text);
                return VERB_ERROR;
        }
        say_unseen(show);
        return VERB_YES;
}
