/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Install: puts the hook on a node and registers it with the node's container runtime; takes it
 * away again.
 *
 * It runs as root in the node's pid namespace, with the node's root directory mounted somewhere.
 * Nothing is half done: what it writes is checked before, each file is replaced in one step, and a
 * second run finishes what a killed one began.
 */
#include <stdbool.h>

#include "base/error.h"

typedef struct InstallOptions {
        const char *root;      /* where the node's root directory is */
        const char *directory; /* on the node: the hook goes to DIRECTORY/bin */
        const char *program;   /* the hook to install: usually this one */
        const char
                *base_spec; /* file: the OCI specification that containerd's handler starts from */
        const char *settings; /* folder: node.json, ceiling.yaml, certificate-authorities.pem and
                                 policies/NAME.yaml, each where it exists */
        bool restart;         /* the runtime, when that is what it takes */
} InstallOptions;

typedef enum InstallOutcome {
        INSTALL_DONE = 0,
        INSTALL_RESTART_WANTED, /* files are there; the runtime has not read them, and we were not
                                   to restart it */
        INSTALL_RESTARTED,
        INSTALL_KEPT, /* uninstall: sandboxed pods run here, so the hook stays for them */
} InstallOutcome;

/* The outcome, or -1. */
int install_node(const InstallOptions *options, Error *error);
int uninstall_node(const InstallOptions *options, Error *error);
