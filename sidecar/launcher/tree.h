/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Process trees, found by the parents that /proc shows. A subreaper sees every descendant, however
 * often it forked and whatever session it made: an orphan becomes the subreaper's own child.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether a child of the calling process heads a tree that is meant; NULL: every one does. */
typedef bool TreeHead(void *context, pid_t pid);

typedef struct TreeScope {
        int proc_fd;
        TreeHead *is_head;
        void *context;
} TreeScope;

/* Sends the signal to each process of the trees that is not a zombie. *ret_count is how many there
 * were. 0, or -errno of reading /proc. */
int tree_signal(const TreeScope *scope, int signal, size_t *ret_count);

/* Stops all of them, until a look finds none that still runs and could fork, then kills them. The
 * caller reaps, and calls again while anything is left: bounded work each time. *ret_count as
 * above. */
int tree_kill(const TreeScope *scope, size_t *ret_count);
