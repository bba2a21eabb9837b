/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Status: what a person should know about a session although it runs, in the words that
 * docs/formats/wire.md lists. */
#include "sidecar/launcher/landlock.h"
#include "sidecar/launcher/target.h"

#define STATUS_TEXT_MAX 256U

/* "" when there is nothing to say. */
void status_describe(const Target *target, const LandlockOutcome *outcome,
        char ret_text[static STATUS_TEXT_MAX]);
