/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Retire: what `helm uninstall` has to do on the nodes before the release's objects go. The canaries end, so the labels go; then every node's installer
 * runs once more, as its own undoing.
 */
#include "base/error.h"
#include "node/request.h"

typedef struct Retire {
        Server server;
        const char *namespace;
        unsigned seconds; /* for each of the two steps */
} Retire;

int retire(const Retire *retire, Error *error);
