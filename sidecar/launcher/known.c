/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who a process's parent is changes only when the parent ends. So a parent that was right once is
 * right for as long as that very process lives, and that it lives is seen by reading it.
 */
#include "sidecar/launcher/known.h"

#include "base/fd.h"
#include "sidecar/launcher/process.h"

#include <fcntl.h>
#include <stdio.h>

#define PARENT_TRIES 3 /* a parent that ends just then makes for another try */

void known_prepare(Known *known, int proc_fd) {
        *known = (Known){ .proc_fd = proc_fd };
}

static void forget(KnownProcess *process) {
        if (process->pid != 0)
                (void)fd_close(process->directory);
        *process = (KnownProcess){ 0 };
}

void known_done(Known *known) {
        for (size_t i = 0; i < KNOWN_MAX; i++)
                forget(&known->processes[i]);
}

int known_open_directory(const Known *known, pid_t pid) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%d", pid);
        return openat(known->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

KnownProcess *known_find(Known *known, pid_t pid) {
        for (size_t i = 0; i < KNOWN_MAX; i++)
                if (known->processes[i].pid == pid)
                        return &known->processes[i];
        return NULL;
}

static KnownProcess *find_room(Known *known) {
        KnownProcess *oldest = &known->processes[0];

        for (size_t i = 1; i < KNOWN_MAX; i++)
                if (known->processes[i].used < oldest->used)
                        oldest = &known->processes[i];
        return oldest; /* a free one was never used */
}

KnownProcess *known_add(Known *known, pid_t pid, int directory) {
        KnownProcess *process = known_find(known, pid);

        if (process == NULL)
                process = find_room(known);
        forget(process);
        *process = (KnownProcess){
                .pid = pid,
                .directory = directory,
                .number = ++known->made,
                .used = ++known->looks,
                .socket = -1,
                .parent = -1,
        };
        return process;
}

bool known_refresh(Known *known, KnownProcess *process) {
        process->used = ++known->looks;
        return process_inode_at(process->directory, "exe", &process->executable) == 0;
}

/* ---- parents ---- */

static bool read_parent(KnownProcess *process) {
        ProcessStatus status;

        process->parent = -1;
        process->parent_number = 0;
        if (process_status_at(process->directory, &status) < 0)
                return false;
        process->start_time = status.start_time;
        process->parent = status.parent;
        return true;
}

/* The process that has the parent's pid. Two looks at the child with the same parent, and the
 * parent opened between them: it is that parent, and not one that got its pid. Where it was open
 * before, one look and a parent that lives after it say as much. */
static KnownProcess *open_parent(Known *known, KnownProcess *process) {
        KnownProcess *parent = known_find(known, process->parent);
        const pid_t pid = process->parent;
        int directory;

        if (parent != NULL && known_refresh(known, parent))
                return parent;
        directory = known_open_directory(known, pid);
        if (directory < 0)
                return NULL;
        parent = known_add(known, pid, directory);
        if (!known_refresh(known, parent) || !read_parent(process) || process->parent != pid)
                return NULL;
        return parent;
}

static KnownProcess *linked_parent(Known *known, const KnownProcess *process) {
        KnownProcess *parent =
                process->parent_number != 0 ? known_find(known, process->parent) : NULL;

        if (parent == NULL || parent->number != process->parent_number ||
                !known_refresh(known, parent))
                return NULL;
        return parent;
}

KnownProcess *known_parent(Known *known, KnownProcess *process, KnownStop *stop, void *context) {
        KnownProcess *parent;

        if (process->parent >= 0 && stop(context, process->parent))
                return NULL;
        parent = linked_parent(known, process);
        for (int i = 0; parent == NULL && i < PARENT_TRIES; i++) {
                if (!read_parent(process) || stop(context, process->parent))
                        return NULL;
                parent = open_parent(known, process);
                if (parent != NULL)
                        process->parent_number = parent->number;
        }
        return parent;
}
