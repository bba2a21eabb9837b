/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Workload: gives a workload container its policy and settings, and registers it for the sidecar.
 */
#include "base/error.h"

struct Hook;

/* Does nothing but hand over again when this very container was prepared before: a hook may be
 * registered for two stages. */
int workload_prepare(const struct Hook *hook, Error *error);
