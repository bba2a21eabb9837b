/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The environment of a session: starts empty, a later value of a name replaces an earlier one.
 *
 * Entries are "NAME=value". Added ones are borrowed and must live until the session's child has
 * executed; those put together from two parts are owned.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/wire/record.h"
#include "sidecar/wire/wire.h"

#define ENVIRONMENT_MAX (RECORD_ENVIRONMENT_MAX + WIRE_ENVIRONMENT_MAX + 8U)
#define ENVIRONMENT_OWNED_MAX 8U

typedef struct Environment {
        const char **entries; /* owned, NULL-ended */
        size_t count, room;
        char *owned[ENVIRONMENT_OWNED_MAX];
        size_t owned_count;
} Environment;

/* Errors are of memory alone: ERROR_OS. Entries without a name are left out, as the workload's own
 * libc would not find them. */
int environment_add(Environment *environment, const char *entry, Error *error);
int environment_put(Environment *environment, const char *name, const char *value, Error *error);
/* The value of a name, or NULL. */
const char *environment_get(const Environment *environment, const char *name);
Environment environment_done(Environment environment);
DEFINE_CLEANUP(Environment, environment_done);

/* The whole: the workload's own variables, then HOME USER LOGNAME SHELL TERM, then the caller's.
 * SHELL is a place holder that command_choose_shell() fills. ERROR_INPUT where the caller's have a
 * bad name, or one that is ours (NAVIGATOR_...). */
int environment_build(const Record *record, const WireSessionStart *start,
        Environment *ret_environment, Error *error);
