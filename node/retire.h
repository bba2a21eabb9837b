/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Retire: what `helm uninstall` has to do on the nodes before the release's objects go. The
 * canaries end and the labels go, so that no sandboxed pod comes any more; then every node's
 * installer runs once more, as its own undoing.
 */
#include "base/error.h"
#include "node/request.h"

typedef struct Retire {
        Server server;
        const char *namespace;
        unsigned seconds; /* for each of the two steps */
} Retire;

int retire(const Retire *retire, Error *error);
