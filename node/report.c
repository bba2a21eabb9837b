/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The label stays through an upgrade, and through a canary that is unready for a moment: taking it
 * away only keeps new pods from coming, and bringing it back takes as long as a canary. It goes
 * when the canary has failed several looks in a row.
 */
#include "node/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HANDLER "navigator"
#define CANARY_LABEL "app.kubernetes.io%2Fcomponent%3Dcanary" /* as a query's value */
#define FAILURES_MAX 6U

static int read_canary(const Report *report, PodFacts *ret_canary, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        char path[1024];

        (void)snprintf(path, sizeof(path),
                "/api/v1/namespaces/%s/pods?labelSelector=%s&fieldSelector=spec.nodeName%%3D%s",
                report->namespace, CANARY_LABEL, report->node);
        if (server_tell(&report->server, "GET", path, NULL, NULL, false, &answer, error) < 0)
                return -1;
        return readiness_read_pods(answer.body, ret_canary, error);
}

static int read_node(const Report *report, NodeFacts *ret_facts, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        char path[512];

        (void)snprintf(path, sizeof(path), "/api/v1/nodes/%s", report->node);
        if (server_tell(&report->server, "GET", path, NULL, NULL, false, &answer, error) < 0)
                return -1;
        return readiness_read_node(answer.body, HANDLER, REPORT_LABEL, ret_facts, error);
}

static int set_label(const Report *report, bool ready, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        char path[512];

        (void)snprintf(path, sizeof(path), "/api/v1/nodes/%s", report->node);
        return server_tell(&report->server, "PATCH", path, "application/merge-patch+json",
                ready ? "{\"metadata\":{\"labels\":{\"" REPORT_LABEL "\":\"true\"}}}"
                      : "{\"metadata\":{\"labels\":{\"" REPORT_LABEL "\":null}}}",
                false, &answer, error);
}

static int show(const Report *report, bool ready, Error *error) {
        int fd;

        if (!ready)
                return unlink(report->ready_file) == 0 || errno == ENOENT
                               ? 0
                               : error_set(error, ERROR_OS, errno, "cannot remove '%s'",
                                         report->ready_file);
        fd = open(report->ready_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot create '%s'", report->ready_file);
        (void)close(fd);
        return 0;
}

int report_begin(Report *report, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        PodFacts canary;
        char path[512];

        if (show(report, false, error) < 0 || read_canary(report, &canary, error) < 0)
                return -1;
        if (!canary.exists)
                return 0;
        (void)snprintf(report->old_canary, sizeof(report->old_canary), "%s", canary.uid);
        (void)snprintf(path, sizeof(path), "/api/v1/namespaces/%s/pods/%s", report->namespace,
                canary.name);
        return server_tell(&report->server, "DELETE", path, NULL, NULL, true, &answer, error) < 0
                       ? -1
                       : 0;
}

int report_round(Report *report, bool *ret_ready, Error *error) {
        PodFacts canary;
        NodeFacts node;
        bool ready, wanted;

        if (read_node(report, &node, error) < 0 || read_canary(report, &canary, error) < 0)
                return -1;
        if (canary.exists && strcmp(canary.uid, report->old_canary) != 0)
                report->is_fresh = true;
        ready = node.has_handler && report->is_fresh && canary.is_ready;
        report->failures = ready ? 0 : report->failures + 1;
        wanted = ready || (node.is_labelled && report->failures < FAILURES_MAX);
        if (wanted != node.is_labelled && set_label(report, wanted, error) < 0)
                return -1;
        *ret_ready = ready;
        return show(report, ready, error);
}
