/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Process: a container's init as the host sees it, held by pidfd and by its /proc directory, so
 * that a recycled pid cannot be taken for it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/wire/record.h"

#define ID_MAP_MAX 340U /* extents, the kernel's own limit (user_namespaces(7)) */

typedef struct IdMap {
        uint32_t count;
        struct {
                uint32_t inside, outside, length;
        } extents[ID_MAP_MAX];
} IdMap;

typedef struct Process {
        uint32_t pid;
        int pidfd;
        int directory; /* /proc/PID; -1 is the empty value */
        uint64_t start_time;
} Process;

/* `proc` is the host's /proc. ERROR_OS with ESRCH when there is no such process, or it has ended.
 */
int process_open(int proc, uint32_t pid, Process *ret_process, Error *error);
/* The same, and it must be the process that started then: 1 when it is not, or is gone. */
int process_open_known(
        int proc, uint32_t pid, uint64_t start_time, Process *ret_process, Error *error);
Process process_close(Process process);
DEFINE_CLEANUP(Process, process_close);
#define PROCESS_NONE ((Process){ .pidfd = -1, .directory = -1 })

/* Device and inode of what `path` leads to; 0, or -errno. */
int inode_look(int directory, const char *path, RecordInode *ret_inode);
/* Device and inode of one of its links: "ns/mnt", "ns/net", "exe". */
int process_inode(const Process *process, const char *link, RecordInode *ret_inode, Error *error);
bool inode_equal(RecordInode a, RecordInode b);

/* "uid_map" or "gid_map". */
int process_id_map(const Process *process, const char *file, IdMap *ret_map, Error *error);

/* Pure: the text of such a file; the start time in /proc/PID/stat (field 22). False when malformed.
 */
bool id_map_parse(const char *text, IdMap *ret_map);
bool process_parse_start_time(const char *stat, uint64_t *ret_start_time);

/* What `inside` is on the host; false when it has no place there. */
bool id_map_outside(const IdMap *map, uint32_t inside, uint32_t *ret_outside);
