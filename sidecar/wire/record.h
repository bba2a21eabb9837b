/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Record: what the hook tells the sidecar about one workload container, written on the host as root, once, before the container runs.
 *
 * It is a flat record (base/pack.h) in a file of its own; the hook sends a sealed copy of that file and the descriptors below over the launcher's
 * socket in one message. Everything here was true at creation; what matters later is checked again against the pidfd and the inodes.
 * docs/formats/record.md has the fields.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"

#define RECORD_MAGIC 0x3152564eU /* "NVR1" */
#define RECORD_SIZE_MAX (4U * 1024U * 1024U) /* environment up to 2 MiB (execve's own limit), policy, names */
#define RECORD_CGROUPS_MAX 16U
#define RECORD_GROUPS_MAX 64U
#define RECORD_RLIMITS_MAX 16U
#define RECORD_ENVIRONMENT_MAX 4096U

/* Where hook and sidecar meet: the hook mounts a small tmpfs here, in the sidecar alone. */
#define RECORD_SOCKET_DIRECTORY "/run/navigator"
#define RECORD_SOCKET_NAME "launcher.sock"

typedef struct RecordInode {
        uint64_t device;
        uint64_t inode;
} RecordInode;

typedef struct RecordLimit {
        uint32_t resource; /* RLIMIT_* */
        uint64_t soft, hard;
} RecordLimit;

/* Who a session runs as: resolved by the hook in the container's own passwd and group, by a jailed parser, never through NSS. */
typedef struct RecordIdentity {
        uint32_t uid, gid;
        uint32_t groups[RECORD_GROUPS_MAX]; /* supplementary; never 0 */
        uint32_t group_count;
        const char *name;  /* the login name; the decimal uid when passwd has no line for it */
        const char *home;
        const char *shell; /* "" when passwd names none, or nologin or false */
} RecordIdentity;

typedef struct Record {
        const char *pod;            /* the runtime's pod id */
        const char *pod_name;       /* "" where the runtime does not say */
        const char *pod_namespace;
        const char *pod_uid;
        const char *container_id;
        const char *container_name;
        const char *target;         /* annotation navigator.sandbox/container; "" = the first container */
        uint32_t pid;               /* of init, in the host's pid namespace: for the deliverer only */
        uint64_t start_time;        /* of init, clock ticks after boot (/proc/PID/stat field 22) */
        RecordInode root;           /* the rootfs directory: "/" of whoever has joined the container */
        RecordInode runtime;        /* executable of init before it becomes the workload: until then nobody enters */
        RecordInode mount_namespace, pid_namespace, user_namespace; /* of init, /proc/PID/ns/... */
        uint32_t workload_uid, workload_gid;
        const char *directory;      /* the workload's working directory */
        const char **environment;   /* NAME=value, NULL-ended; malloc'ed array after a read */
        RecordLimit limits[RECORD_RLIMITS_MAX];
        uint32_t limit_count;
        const char *apparmor;       /* labels of config.json, "" = none */
        const char *selinux;
        RecordIdentity identity;
        const char *cgroups[RECORD_CGROUPS_MAX]; /* one per descriptor: "name=systemd", "memory", "" for cgroup v2 */
        uint32_t cgroup_count;
        const char *policy_source;  /* "image", "node/NAME", "configmap/NAME", "default" */
        const char *policy_text;    /* the file, as the author wrote it */
        const void *policy;         /* the model, packed by policy/flat */
        size_t policy_size;
        uint8_t policy_hash[32];    /* SHA-256 of the text */
} Record;

void record_pack(const Record *record, Packer *packer);
/* Borrows from data. 0, or -1: ERROR_PEER. Free record->environment. */
int record_unpack(const void *data, size_t size, Record *ret_record, Error *error);

/* The hand-over message: u32 RECORD_MAGIC; descriptors: the record file, the pidfd of init, then cgroup.procs of each cgroup, opened for writing. */
#define RECORD_FD_FILE 0U
#define RECORD_FD_PIDFD 1U
#define RECORD_FD_CGROUPS 2U
