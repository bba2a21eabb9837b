/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reload: the pod's policy volume (a ConfigMap) while the pod runs. kubelet swaps a link, so a look
 * sees the old file or the new one, never a part.
 *
 * What is good applies to the network at once; what is bad changes nothing and is said once, with
 * file, line and column. What a policy says about files, the user and Landlock belongs to the
 * container's start: a change of it is reported as waiting for that.
 */
#include "sidecar/launcher/launcher.h"

#define RELOAD_INTERVAL_MS 1000

/* Looks when it is time to. Where the directory does not exist nothing happens. */
void reload_look(Launcher *launcher, int64_t now);
