/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hook: one run of the hook for one container, and what its parts need to know about it. The parts
 * include this and not one another; run.c puts them together.
 */
#include "base/cleanup.h"
#include "base/error.h"
#include "base/jail.h"
#include "hook/bundle.h"
#include "hook/node.h"
#include "hook/process.h"
#include "hook/select.h"
#include "hook/state.h"
#include "hook/storage.h"

#define HOOK_POD_MAX 160U

typedef struct Hook {
        int input;             /* borrowed: where the state comes from */
        const char *node_path; /* of the node's configuration; NULL = the default one */
        int proc;              /* the host's /proc */
        int pods;              /* RUN/pods */
        int pod;               /* RUN/pods/POD, locked */
        State state;
        Storage storage; /* podman's, where the container is in it */
        Bundle bundle;
        Node node;
        Process process;
        Role role;
        char name[SELECT_NAME_MAX]; /* of the container */
        char pod_id[HOOK_POD_MAX];
        void *state_data, *bundle_data; /* owned: state and bundle point into them */
} Hook;

#define HOOK_NONE                                                                                  \
        ((Hook){ .input = -1, .proc = -1, .pods = -1, .pod = -1, .process = PROCESS_NONE })

Hook hook_free(Hook hook);
DEFINE_CLEANUP(Hook, hook_free);

/* Says what did not go well, but is no reason to stop a container: on standard error, which
 * runtimes show only on failure, and in the journal. */
void hook_warn(const Hook *hook, const Error *error);
/* The line that a failing hook ends with, likewise. */
void hook_report(const Hook *hook, const Error *error);

/* A jail for one of our parsers. */
Jail hook_jail(const char *name, size_t result_max);
