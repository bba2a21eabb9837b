/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sidecar: gives our own container the directory for its socket, and leaves the deliverer that
 * hands it what already runs. */
#include "base/error.h"

struct Hook;

int sidecar_prepare(const struct Hook *hook, Error *error);
