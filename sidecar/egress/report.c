/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/report.h"

#include "base/sha256.h"
#include "sidecar/egress/clock.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 40U
#define TICK_MS 250
#define LINE_MAX 3072U /* of the 4 KiB that a record may have */

/* What a folded line has to say again is kept as the pairs of the first. */
typedef struct Kind {
        uint8_t digest[SHA256_SIZE]; /* of its pairs */
        int64_t ends;                /* 0 = free */
        uint64_t repeated;           /* since the first */
        char text[LINE_MAX];         /* key NUL value NUL ... */
        size_t size;
} Kind;

struct Report {
        Control *control; /* borrowed */
        struct event *timer;
        uint64_t lost;   /* the socket was full */
        int64_t second;  /* in which ... */
        unsigned single; /* ... so many denials were written singly */
        Kind kinds[REPORT_KINDS_MAX];
};

/* Pairs as they are sent: pointers into text that lives for the call. */
typedef struct Pairs {
        const char *items[PAIRS_MAX + 1];
        size_t count;
        char numbers[6][24];
        size_t number_count;
} Pairs;

static void add(Pairs *pairs, const char *key, const char *value) {
        if (value == NULL || value[0] == '\0' || pairs->count + 2 > PAIRS_MAX)
                return;
        pairs->items[pairs->count++] = key;
        pairs->items[pairs->count++] = value;
        pairs->items[pairs->count] = NULL;
}

static void add_number(Pairs *pairs, const char *key, uint64_t value) {
        char *text = pairs->numbers[pairs->number_count];

        if (value == 0 || pairs->number_count == sizeof(pairs->numbers) / sizeof(pairs->numbers[0]))
                return;
        pairs->number_count++;
        (void)snprintf(text, sizeof(pairs->numbers[0]), "%llu", (unsigned long long)value);
        add(pairs, key, text);
}

static void send_event(Report *report, const char *name, Pairs *pairs) {
        add_number(pairs, "lost", report->lost);
        if (wire_audit_write(control_fd(report->control), name, pairs->items) == 0)
                report->lost = 0;
        else
                report->lost++;
}

static const char *verdict_name(ReportVerdict verdict) {
        static const char *const names[] = { "", "allowed", "denied", "failed",
                "let_through" };

        return names[verdict];
}

/* Without pid: a thousand processes of one program that are denied the same are one kind. */
static void add_kind(Pairs *pairs, const ReportEvent *event) {
        add(pairs, "verdict", verdict_name(event->verdict));
        add(pairs, "engine", event->engine);
        add(pairs, "via", event->via);
        add(pairs, "protocol", event->protocol);
        add(pairs, "host", event->host);
        add_number(pairs, "port", event->port);
        add(pairs, "address", event->address);
        add(pairs, "binary", event->binary);
        add(pairs, "container", event->container);
        add(pairs, "policy", event->policy);
        add(pairs, "rule", event->rule);
        add(pairs, "reason", event->reason);
        add(pairs, "detail", event->text);
        add_number(pairs, "generation", event->generation);
}

/* False when it is too long to be kept: then it is sent every time. */
static bool flatten(const Pairs *pairs, char text[static LINE_MAX], size_t *ret_size) {
        size_t size = 0;

        for (size_t i = 0; i < pairs->count; i++) {
                const size_t item = strlen(pairs->items[i]) + 1;

                if (size + item > LINE_MAX)
                        return false;
                memcpy(text + size, pairs->items[i], item);
                size += item;
        }
        *ret_size = size;
        return true;
}

static void end_kind(Report *report, Kind *kind) {
        Pairs pairs = { 0 };

        kind->ends = 0;
        if (kind->repeated == 0)
                return;
        for (size_t at = 0; at < kind->size;) {
                const char *key = kind->text + at;
                const char *value = key + strlen(key) + 1;

                add(&pairs, key, value);
                at = (size_t)(value - kind->text) + strlen(value) + 1;
        }
        add_number(&pairs, "repeated", kind->repeated);
        send_event(report, "network_repeated", &pairs);
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
        Report *report = context;
        const int64_t now = clock_milliseconds();

        for (size_t i = 0; i < REPORT_KINDS_MAX; i++)
                if (report->kinds[i].ends != 0 && report->kinds[i].ends <= now)
                        end_kind(report, &report->kinds[i]);
}

/* The kind with this digest, or one that is free or made free for it. */
static Kind *find_kind(Report *report, const uint8_t digest[static SHA256_SIZE]) {
        Kind *chosen = &report->kinds[0];

        for (size_t i = 0; i < REPORT_KINDS_MAX; i++) {
                Kind *kind = &report->kinds[i];

                if (kind->ends != 0 && memcmp(kind->digest, digest, SHA256_SIZE) == 0)
                        return kind;
                if (kind->ends < chosen->ends)
                        chosen = kind;
        }
        if (chosen->ends != 0)
                end_kind(report, chosen);
        return chosen;
}

/* Finds the kind of these pairs. True when it is there already: then it was counted. */
static bool fold(Report *report, const Pairs *pairs, int64_t window) {
        uint8_t digest[SHA256_SIZE];
        char text[LINE_MAX];
        size_t size = 0;
        Kind *kind;

        if (!flatten(pairs, text, &size))
                return false;
        sha256(text, size, digest);
        kind = find_kind(report, digest);
        if (kind->ends != 0) {
                kind->repeated++;
                return true;
        }
        memcpy(kind->digest, digest, sizeof(digest));
        memcpy(kind->text, text, size);
        kind->size = size;
        kind->repeated = 0;
        kind->ends = clock_milliseconds() + window;
        return false;
}

/* A scan of ports, or names made up one after the other, would push everything else out. */
static bool is_flood(Report *report, const ReportEvent *event) {
        const int64_t second = clock_seconds();

        if (event->verdict != REPORT_DENIED)
                return false;
        if (report->second != second)
                report->single = 0;
        report->second = second;
        return ++report->single > REPORT_SINGLE_DENIALS_MAX;
}

void report_event(Report *report, const ReportEvent *event) {
        const ReportEvent many = {
                .verdict = event->verdict,
                .engine = event->engine,
                .via = event->via,
                .reason = "many",
                .text = "more different denials in a second than are written singly",
                .generation = event->generation,
        };
        Pairs pairs = { 0 };

        if (is_flood(report, event))
                event = &many;
        add_kind(&pairs, event);
        if (fold(report, &pairs,
                    event->verdict == REPORT_ALLOWED ? REPORT_ALLOWED_WINDOW_MS
                                                     : REPORT_DENIED_WINDOW_MS))
                return;
        add_number(&pairs, "pid", event->pid);
        send_event(report, "network", &pairs);
}

void report_note(Report *report, const char *name, const char *const *list) {
        Pairs pairs = { 0 };

        for (size_t i = 0; list[i] != NULL; i += 2)
                add(&pairs, list[i], list[i + 1]);
        send_event(report, name, &pairs);
}

Report *report_new(struct event_base *loop, Control *control) {
        const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
        cleanup(report_freep) Report *report = calloc(1, sizeof(*report));

        if (report == NULL)
                return NULL;
        report->control = control;
        report->timer = event_new(loop, -1, EV_PERSIST, on_tick, report);
        if (report->timer == NULL || event_add(report->timer, &tick) < 0)
                return NULL;
        return take_ptr(report);
}

Report *report_free(Report *report) {
        if (report == NULL)
                return NULL;
        for (size_t i = 0; i < REPORT_KINDS_MAX; i++)
                if (report->kinds[i].ends != 0)
                        end_kind(report, &report->kinds[i]);
        if (report->timer != NULL)
                event_free(report->timer);
        free(report);
        return NULL;
}
