/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Registry: what the hooks of one node remember, in files that only root sees
 * (docs/formats/record.md).
 *
 *   RUN/pods/POD/ID.record    a workload container: its record
 *   RUN/pods/POD/ID.sidecar   the pod's sidecar: which process, and which file system its socket is
 * on RUN/pods/POD/NAME.policy  the last good policy text of a container whose policy is a ConfigMap
 *
 * A pod's directory is locked while one hook works on it, and is removed with the last container in
 * it.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/process.h"
#include "sidecar/wire/record.h"

#define REGISTRY_RECORD ".record"
#define REGISTRY_SIDECAR ".sidecar"
#define REGISTRY_POLICY ".policy"

/* The pod's sidecar, as its hook saw it. */
typedef struct Sidecar {
        uint32_t pid;
        uint64_t start_time;
        RecordInode socket_directory; /* root of the tmpfs that the hook mounted for the socket */
} Sidecar;

/* A record as read from its file. */
typedef struct RegistryRecord {
        char *data; /* owned */
        size_t size;
        Record record; /* points into data */
} RegistryRecord;

/* Opens, or creates, RUN/pods. Refuses directories that somebody else than root can write. */
int registry_open(const char *run_directory, int *ret_pods, Error *error);

/* Opens, or creates, a pod's directory and waits for its lock. The descriptor holds the lock. */
int registry_open_pod(int pods, const char *pod, int *ret_pod, Error *error);

int registry_add_record(int pod, const Record *record, Error *error);
int registry_add_sidecar(int pod, const char *id, const Sidecar *sidecar, Error *error);

/* By file name ("ID.record"). 1: not there. */
int registry_read_record(int pod, const char *file, RegistryRecord *ret_record, Error *error);
int registry_read_sidecar(int pod, const char *file, Sidecar *ret_sidecar, Error *error);
RegistryRecord registry_record_free(RegistryRecord record);
DEFINE_CLEANUP(RegistryRecord, registry_record_free);

/* 1: the container with that id is not registered, or as an earlier process; 0: as this one. */
int registry_has(int pod, const char *id, const char *suffix, const Process *process, Error *error);

int registry_keep_policy(
        int pod, const char *container, const char *text, size_t size, Error *error);
/* 1: none was kept. */
int registry_kept_policy(
        int pod, const char *container, char **ret_text, size_t *ret_size, Error *error);

/* Calls `visit` for each file of the pod with that suffix, until it returns other than 0; returns
 * that. */
typedef int RegistryVisit(int pod, const char *file, void *data);
int registry_each(int pod, const char *suffix, RegistryVisit *visit, void *data);

/* Removes what belongs to processes that are gone. */
void registry_sweep(int proc, int pod);
/* The same for every pod, and what belongs to container `id` (NULL: none), and the directories that
 * are empty then. */
void registry_remove(int proc, int pods, const char *id);
