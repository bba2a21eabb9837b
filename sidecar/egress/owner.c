/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Owner *owner_free(Owner *owner) {
        free(owner);
        return NULL;
}

const char *owner_path(const Owner *owner) {
        return owner != NULL && owner->program_count > 0 ? owner->programs[0].path : "";
}

static WireSocket wire_socket(const Address *address, uint16_t port) {
        WireSocket end = { .family = address->family, .port = port };

        memcpy(end.bytes, address->bytes, sizeof(end.bytes));
        return end;
}

uint32_t owner_ask(Control *control, WireNetwork network, const Address *remote,
        uint16_t remote_port, const Address *local, uint16_t local_port, ControlAnswered *answered,
        void *context) {
        /* Seen from the one who is looked for: its own end first. */
        const WireOwnerAsk ask = {
                .network = network,
                .local = wire_socket(remote, remote_port),
                .remote = wire_socket(local, local_port),
        };
        const uint32_t id = control_expect(control, answered, context);

        if (id != 0 && wire_owner_ask_write(control_fd(control), id, &ask) < 0) {
                control_forget(control, id);
                return 0;
        }
        return id;
}

static Owner *owner_copy(const WireOwner *wire) {
        const size_t table = wire->program_count * sizeof(PolicyProgram);
        size_t text = 0;
        Owner *owner;
        char *at;

        for (uint32_t i = 0; i < wire->program_count; i++)
                text += strlen(wire->programs[i].path) + 1;
        owner = malloc(sizeof(*owner) + table + text);
        if (owner == NULL)
                return NULL;
        *owner = (Owner){ .ownership = wire->ownership, .program_count = wire->program_count };
        owner->pid = wire->program_count > 0 ? wire->programs[0].pid : 0;
        (void)snprintf(owner->container, sizeof(owner->container), "%s", wire->container);
        at = (char *)&owner->programs[wire->program_count];
        for (uint32_t i = 0; i < wire->program_count; i++) {
                const WireProgram *program = &wire->programs[i];
                const size_t size = strlen(program->path) + 1;

                memcpy(at, program->path, size);
                owner->programs[i] = (PolicyProgram){
                        .path = at,
                        .identity = { .device = program->device, .inode = program->inode },
                };
                at += size;
        }
        return owner;
}

Owner *owner_read(WireMessage *message) {
        WireOwner wire;

        if (message->header.type != WIRE_OWNER || wire_owner_read(message, &wire, NULL) < 0)
                return NULL;
        return owner_copy(&wire);
}
