/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One look at /proc gives pids and parents; who descends from a head is then computed in memory. A
 * look is no instant: a process may fork, end and leave its number to another while it lasts. So a
 * signal goes through a pidfd that was opened before the start time was compared, never to a
 * number, and whoever wants an end looks until there is nothing left to see.
 */
#include "sidecar/launcher/tree.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"
#include "sidecar/launcher/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STOP_ROUNDS_MAX 32

typedef struct Node {
        pid_t pid;
        ProcessStatus status;
        bool in_tree;
} Node;

typedef struct Forest {
        int proc_fd;
        Node *nodes;
        size_t count, room;
} Forest;

static void forest_free(Forest *forest) {
        free(forest->nodes);
}

static int look_at(void *context, pid_t pid) {
        Forest *forest = context;
        Node node = { .pid = pid };
        Node *nodes;

        if (process_status(forest->proc_fd, pid, &node.status) < 0)
                return 0;
        if (forest->count == forest->room) {
                forest->room = forest->room == 0 ? 128 : 2 * forest->room;
                nodes = reallocarray(forest->nodes, forest->room, sizeof(*nodes));
                if (nodes == NULL)
                        return -ENOMEM;
                forest->nodes = nodes;
        }
        forest->nodes[forest->count++] = node;
        return 0;
}

static int by_pid(const void *one, const void *other) {
        pid_t left = ((const Node *)one)->pid, right = ((const Node *)other)->pid;

        return (left > right) - (left < right);
}

static bool has_parent_in_tree(const Forest *forest, const Node *node) {
        const Node parent = { .pid = node->status.parent };
        const Node *found = bsearch(&parent, forest->nodes, forest->count, sizeof(parent), by_pid);

        return found != NULL && found->in_tree;
}

/* Parents mostly have the smaller number, so one pass over the sorted nodes mostly does; a recycled
 * number takes another. */
static void spread(Forest *forest) {
        bool grew = true;

        while (grew) {
                grew = false;
                for (size_t i = 0; i < forest->count; i++)
                        if (!forest->nodes[i].in_tree &&
                                has_parent_in_tree(forest, &forest->nodes[i]))
                                grew = forest->nodes[i].in_tree = true;
        }
}

static int look(const TreeScope *scope, Forest *forest) {
        pid_t self = getpid();
        int r;

        forest->proc_fd = scope->proc_fd;
        forest->count = 0;
        r = process_visit_all(scope->proc_fd, look_at, forest);
        if (r < 0)
                return r;
        if (forest->count > 0)
                qsort(forest->nodes, forest->count, sizeof(*forest->nodes), by_pid);
        for (size_t i = 0; i < forest->count; i++) {
                Node *node = &forest->nodes[i];

                node->in_tree =
                        node->status.parent == self &&
                        (scope->is_head == NULL || scope->is_head(scope->context, node->pid));
        }
        spread(forest);
        return 0;
}

static bool has_died(const Node *node) {
        return node->status.state == 'Z' || node->status.state == 'X';
}

static bool is_stopped(const Node *node) {
        return node->status.state == 'T' || node->status.state == 't';
}

static void send_signal(const Forest *forest, const Node *node, int signal) {
        cleanup_fd int pidfd = sys_pidfd_open(node->pid);
        ProcessStatus now;

        if (pidfd >= 0 && process_status(forest->proc_fd, node->pid, &now) == 0 &&
                now.start_time == node->status.start_time)
                (void)sys_pidfd_send_signal(pidfd, signal);
}

static size_t signal_all(const Forest *forest, int signal) {
        size_t count = 0;

        for (size_t i = 0; i < forest->count; i++)
                if (forest->nodes[i].in_tree && !has_died(&forest->nodes[i])) {
                        send_signal(forest, &forest->nodes[i], signal);
                        count++;
                }
        return count;
}

int tree_signal(const TreeScope *scope, int signal, size_t *ret_count) {
        cleanup(forest_free) Forest forest = { 0 };
        int r = look(scope, &forest);

        if (r < 0)
                return r;
        *ret_count = signal_all(&forest, signal);
        return 0;
}

static size_t stop_running(const Forest *forest) {
        size_t running = 0;

        for (size_t i = 0; i < forest->count; i++) {
                const Node *node = &forest->nodes[i];

                if (!node->in_tree || has_died(node) || is_stopped(node))
                        continue;
                send_signal(forest, node, SIGSTOP);
                running++;
        }
        return running;
}

int tree_kill(const TreeScope *scope, size_t *ret_count) {
        const struct timespec moment = { .tv_nsec = 100L * 1000 };
        cleanup(forest_free) Forest forest = { 0 };

        for (unsigned round = 0; round < STOP_ROUNDS_MAX; round++) {
                int r = look(scope, &forest);

                if (r < 0)
                        return r;
                if (stop_running(&forest) == 0)
                        break;
                (void)nanosleep(&moment, NULL); /* a stop takes effect when the process next runs */
        }
        *ret_count = signal_all(&forest, SIGKILL);
        return 0;
}
