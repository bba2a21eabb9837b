/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The DaemonSet is told by a patch of its template: the installer's container gets the argument
 * `uninstall`, and all nodes may change at once, because nothing is installed any more. Kubernetes
 * carries it to the nodes; here we only wait.
 */
#include "node/retire.h"

#include "node/readiness.h"
#include "node/report.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#define NODE_SET "navigator-node"
#define CANARY_SET "navigator-canary"
#define ROUND_MILLISECONDS 1000

static const char undo[] = "[{\"op\":\"replace\",\"path\":\"/spec/template/spec/initContainers/0/"
                           "args/0\",\"value\":\"uninstall\"},"
                           "{\"op\":\"add\",\"path\":\"/spec/"
                           "updateStrategy\",\"value\":{\"type\":\"RollingUpdate\","
                           "\"rollingUpdate\":{\"maxUnavailable\":\"100%\"}}}]";

static int set_path(const Retire *retire, const char *name, char path[static 512]) {
        return snprintf(
                path, 512, "/apis/apps/v1/namespaces/%s/daemonsets/%s", retire->namespace, name);
}

static int count_pods(const Retire *retire, const char *component, size_t *ret_all,
        size_t *ret_running, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        char path[512];

        (void)snprintf(path, sizeof(path),
                "/api/v1/namespaces/%s/pods?labelSelector=app.kubernetes.io%%2Fcomponent%%3D%s",
                retire->namespace, component);
        if (server_tell(&retire->server, "GET", path, NULL, NULL, false, &answer, error) < 0)
                return -1;
        return readiness_count_pods(answer.body, ret_all, ret_running, error);
}

static int canaries_are_gone(const Retire *retire, bool *ret_done, Error *error) {
        size_t all, running;

        if (count_pods(retire, "canary", &all, &running, error) < 0)
                return -1;
        *ret_done = all == 0;
        return 0;
}

static int nodes_are_clean(const Retire *retire, bool *ret_done, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        RolloutFacts rollout;
        size_t all, running;
        char path[512];

        (void)set_path(retire, NODE_SET, path);
        if (server_tell(&retire->server, "GET", path, NULL, NULL, false, &answer, error) < 0 ||
                readiness_read_rollout(answer.body, &rollout, error) < 0 ||
                count_pods(retire, "node", &all, &running, error) < 0)
                return -1;
        *ret_done = rollout.is_observed && rollout.updated == rollout.desired && all == running &&
                    (long)running == rollout.desired;
        return 0;
}

static int wait_until(const Retire *retire, int (*check)(const Retire *, bool *, Error *),
        const char *what, Error *error) {
        bool done = false;

        for (unsigned tries = retire->seconds * 1000 / ROUND_MILLISECONDS; tries > 0; tries--) {
                if (check(retire, &done, error) < 0)
                        return -1;
                if (done)
                        return 0;
                (void)poll(NULL, 0, ROUND_MILLISECONDS);
        }
        return error_set(error, ERROR_OS, ETIMEDOUT,
                "%s: not within %u s; see `kubectl -n %s get pods`. Without this step: helm "
                "uninstall --no-hooks, which leaves the hook on the nodes",
                what, retire->seconds, retire->namespace);
}

/* Without a canary the reporters do not set it again. */
static int remove_label(const char *node, void *context, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        const Retire *retire = context;
        char path[512];

        (void)snprintf(path, sizeof(path), "/api/v1/nodes/%s", node);
        return server_tell(&retire->server, "PATCH", path, "application/merge-patch+json",
                "{\"metadata\":{\"labels\":{\"" REPORT_LABEL "\":null}}}", true, &answer, error);
}

static int remove_labels(const Retire *retire, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        Retire context = *retire;

        if (server_tell(&retire->server, "GET",
                    "/api/v1/nodes?labelSelector=navigator.sandbox%2Fready", NULL, NULL, false,
                    &answer, error) < 0)
                return -1;
        return readiness_each_name(answer.body, remove_label, &context, error);
}

int retire(const Retire *retire, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        char path[512];

        (void)set_path(retire, CANARY_SET, path);
        if (server_tell(&retire->server, "DELETE", path, NULL, NULL, true, &answer, error) < 0 ||
                wait_until(retire, canaries_are_gone, "the canaries to end", error) < 0 ||
                remove_labels(retire, error) < 0)
                return -1;
        answer = answer_free(answer);
        (void)set_path(retire, NODE_SET, path);
        if (server_tell(&retire->server, "PATCH", path, "application/json-patch+json", undo, false,
                    &answer, error) < 0)
                return -1;
        return wait_until(retire, nodes_are_clean, "the hook to leave the nodes", error);
}
