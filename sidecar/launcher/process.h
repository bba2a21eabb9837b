/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Processes as /proc shows them. proc_fd is a directory descriptor of a proc mount: ours in life, a
 * fake tree in a test. Functions return 0 or -errno; -ENOENT or -ESRCH means the process has gone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sidecar/wire/record.h"

typedef struct ProcessStatus {
        pid_t parent;
        char state;          /* 'R', 'S', 'T', 'Z', ... */
        uint64_t start_time; /* clock ticks after boot */
} ProcessStatus;

int process_status(int proc_fd, pid_t pid, ProcessStatus *ret_status);
/* Of what /proc/PID/NAME leads to: "exe", "ns/mnt", ... */
int process_inode(int proc_fd, pid_t pid, const char *name, RecordInode *ret_inode);
/* The same through an open /proc/PID, which stays one process's. */
int process_status_at(int directory, ProcessStatus *ret_status);
int process_inode_at(int directory, const char *name, RecordInode *ret_inode);
bool process_same_inode(RecordInode one, RecordInode other);
/* The pid in our pid namespace of what a pidfd refers to; -ESRCH when it is dead or not to be seen
 * from here. */
int process_of_pidfd(int proc_fd, int pidfd, pid_t *ret_pid);

/* Calls back for each process once; stops early when the callback returns anything but 0, and
 * returns that. */
typedef int ProcessVisitor(void *context, pid_t pid);
int process_visit_all(int proc_fd, ProcessVisitor *visit, void *context);
