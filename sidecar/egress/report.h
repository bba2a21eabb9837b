/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Report: what egress decided, as events for the audit that the launcher writes.
 * docs/formats/egress.md has the fields.
 *
 * The first of a kind is sent at once; what repeats it is counted, and the count is sent when its
 * window ends, so that a loop in a sandbox makes two lines and not a million, and no decision goes
 * uncounted.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "sidecar/egress/control.h"

#define REPORT_KINDS_MAX 512U /* that are folded at once; the oldest gives way */
/* Different denials that are written singly in a second; what a scan adds is counted together. */
#define REPORT_SINGLE_DENIALS_MAX 64U
#define REPORT_DENIED_WINDOW_MS 10000
#define REPORT_ALLOWED_WINDOW_MS 1000

typedef enum ReportVerdict {
        REPORT_ALLOWED = 1,
        REPORT_DENIED,
        REPORT_FAILED,      /* allowed, and no connection came of it */
        REPORT_LET_THROUGH, /* a rule in audit mode: enforcing, it would be denied */
} ReportVerdict;

/* Texts are borrowed for the call; NULL or "" leaves a field out. */
typedef struct ReportEvent {
        ReportVerdict verdict;
        const char *engine; /* what decided: "policy", "ssrf", "tls", "names", "request", "owner",
                               "limit" */
        const char *via; /* how it came: "proxy", "pod-proxy", "transparent", "names", "direct" */
        const char *host;
        uint16_t port;        /* 0 = none */
        const char *address;  /* that was connected to, or refused */
        const char *protocol; /* of a direct attempt: "udp", "icmp", ... */
        const char *binary;
        uint32_t pid; /* 0 = unknown */
        const char *container;
        const char *policy; /* the entry of network_policies */
        const char *rule;   /* the host pattern of its endpoint */
        const char *reason; /* one word */
        const char *text;   /* one sentence */
        uint32_t generation;
} ReportEvent;

typedef struct Report Report;

struct event_base;
/* The control is borrowed. NULL without memory. */
Report *report_new(struct event_base *loop, Control *control);
/* Sends what is still counted. */
Report *report_free(Report *report);
DEFINE_CLEANUP(Report *, report_free);

void report_event(Report *report, const ReportEvent *event);
/* An event of another kind, not folded: pairs of key and value, ended by NULL. */
void report_note(Report *report, const char *name, const char *const *pairs);
