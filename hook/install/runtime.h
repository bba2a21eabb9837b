/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Runtime: which container runtime a node has, and what registers the hook with it.
 *
 * The registration takes over how the node's own default runtime is started (the path of runc, its
 * cgroup driver): a handler that differs there would break its pods in ways that have nothing to do
 * with us. What we cannot write beside the node's configuration, we do not write into it: the
 * administrator is told the lines.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/install/toml.h"

#define RUNTIME_HANDLER "navigator" /* the name in RuntimeClass.handler */
#define RUNTIME_FILES_MAX 3U

typedef enum RuntimeKind { RUNTIME_CONTAINERD, RUNTIME_CRIO } RuntimeKind;

/* A place where a runtime keeps its things; the first whose socket exists is the node's. */
typedef struct RuntimeSite {
        const char *name; /* for people: "k3s" */
        RuntimeKind kind;
        const char *socket;
        const char *config;   /* the main configuration file */
        const char *drop_ins; /* the directory that it imports */
} RuntimeSite;

typedef struct RuntimeFile {
        char path[TOML_STRING_MAX];
        char *text;
} RuntimeFile;

typedef struct Runtime {
        const RuntimeSite *site;
        RuntimeFile files[RUNTIME_FILES_MAX]; /* what the node must have for the handler to exist */
        size_t file_count;
} Runtime;

typedef struct RuntimeRequest {
        int root;              /* the node's root directory */
        const char *hook;      /* absolute path of the hook on the node */
        const char *base_spec; /* containerd: the OCI specification to add the hook to, JSON,
                                  NUL-ended */
} RuntimeRequest;

/* ERROR_INPUT: nothing that we know, or a configuration that leaves no room beside it; the text
 * says what to write where. */
int runtime_detect(const RuntimeRequest *request, Runtime *ret_runtime, Error *error);
Runtime runtime_free(Runtime runtime);
DEFINE_CLEANUP(Runtime, runtime_free);
