/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Owner: the program that has a connection, and its ancestors, as the launcher found them. Counted
 * and immutable: a connection keeps it for as long as it lives, because a policy that changes is
 * asked about the same program again.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "policy/decide.h"
#include "sidecar/egress/control.h"

#define OWNER_CONTAINER_SIZE 64U /* a container's name has at most 63 characters */

typedef struct Owner {
        WireOwnership ownership;
        uint32_t pid;
        char container[OWNER_CONTAINER_SIZE];
        size_t program_count;
        PolicyProgram programs[]; /* their paths follow them in the same memory */
} Owner;

Owner *owner_free(Owner *owner);
DEFINE_CLEANUP(Owner *, owner_free);

/* "" when it is not known. */
const char *owner_path(const Owner *owner);

/* Asks who has the other end of an accepted connection: `remote` is that end, `local` is ours.
 * Returns the number of the question for control_forget(), or 0 when it cannot be asked. The answer
 * is read by owner_read(). */
uint32_t owner_ask(Control *control, WireNetwork network, const Address *remote,
        uint16_t remote_port, const Address *local, uint16_t local_port, ControlAnswered *answered,
        void *context);
/* NULL when it cannot be read, or without memory; who asked then treats it as gone. */
Owner *owner_read(WireMessage *message);
