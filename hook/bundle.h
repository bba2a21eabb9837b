/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bundle: the parts of the bundle's config.json that we use (OCI runtime specification,
 * "Configuration"), and, under podman, the name and image that only its storage knows.
 *
 * The engine wrote these files, but most values in them come from the image and from the pod's
 * author: bundle_parse() runs in a jail.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"
#include "sidecar/wire/record.h"

/* Environment and arguments are bounded by execve to 2 MiB; JSON may need twice that. */
#define BUNDLE_CONFIG_MAX ((size_t)4 * 1024 * 1024)

/* The pod's policy volume is the one whose mount has this destination (docs/formats/node.md). */
#define BUNDLE_POLICY_VOLUME "/run/navigator-policy"

typedef struct Bundle {
        const char *root;        /* the rootfs, absolute */
        const char *propagation; /* linux.rootfsPropagation, or "" */
        const char *mount_label; /* SELinux, or "" */
        const char *program;     /* process.args[0], or "" */
        const char *directory;
        uint32_t uid, gid;
        const char **environment; /* malloc'ed array, NULL-ended */
        RecordLimit limits[RECORD_RLIMITS_MAX];
        uint32_t limit_count;
        const char *apparmor;
        const char *selinux;
        const char *policy_volume; /* source of the policy volume on the node, or "" */
        bool policy_volume_read_only;
        const char *storage_name; /* podman's name of the container, or "" */
        const char *storage_image;
} Bundle;

typedef struct BundleText {
        const char *id;     /* of the container */
        const char *bundle; /* its absolute path, for a relative root.path */
        const char *config;
        size_t config_size;
        const char *storage; /* podman's list of containers, or NULL */
        size_t storage_size;
} BundleText;

/* Reads `file` of the directory of a bundle; 1: not there. */
int bundle_read_file(const char *bundle, const char *file, size_t limit, char **ret_text,
        size_t *ret_size, Error *error);

/* A JailParser of a BundleText. */
int bundle_parse(const void *bundle_text, Packer *result, Error *error);

/* Borrows from data, but for `environment`. 0, or -1 with ERROR_PEER. */
int bundle_unpack(const void *data, size_t size, Bundle *ret_bundle, Error *error);
void bundle_done(Bundle *bundle);

/* The value of NAME in the environment, or NULL. */
const char *bundle_variable(const Bundle *bundle, const char *name);
