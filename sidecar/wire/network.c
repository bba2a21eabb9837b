/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/wire/network.h"

#include "base/cleanup.h"
#include "sidecar/wire/codec.h"

#include <string.h>

static void pack_socket(Packer *packer, const WireSocket *end) {
        pack_u8(packer, end->family);
        pack_bytes(packer, end->bytes, sizeof(end->bytes));
        pack_u16(packer, end->port);
}

/* A wrong family or size makes the whole record fail. */
static void unpack_socket(Unpacker *fields, WireSocket *end) {
        const void *bytes;
        size_t size;

        end->family = unpack_u8(fields);
        bytes = unpack_bytes(fields, &size);
        end->port = unpack_u16(fields);
        if (size != sizeof(end->bytes) || (end->family != 4 && end->family != 6)) {
                fields->failed = true;
                return;
        }
        memcpy(end->bytes, bytes, sizeof(end->bytes));
}

static bool ends_without_fds(const WireMessage *message) {
        return unpack_end(&message->fields) && message->fd_count == 0;
}

int wire_policy_write(int socket, uint32_t generation, int fd) {
        Packer packer = wire_begin(WIRE_POLICY, generation);

        return wire_finish(socket, &packer, &fd, 1);
}

int wire_policy_read(WireMessage *message, uint32_t *ret_generation, int *ret_fd, Error *error) {
        if (!unpack_end(&message->fields) || message->fd_count != 1)
                return wire_bad(error, "policy");
        *ret_generation = message->header.id;
        *ret_fd = take_fd(message->fds[0]);
        return 0;
}

static int write_socket(int socket, WireType type, uint32_t id, const WireSocket *where) {
        Packer packer = wire_begin(type, id);

        pack_socket(&packer, where);
        return wire_finish(socket, &packer, NULL, 0);
}

static int read_socket(
        WireMessage *message, const char *what, WireSocket *ret_where, Error *error) {
        WireSocket where = { 0 };

        unpack_socket(&message->fields, &where);
        if (!ends_without_fds(message))
                return wire_bad(error, what);
        *ret_where = where;
        return 0;
}

int wire_listen_write(int socket, uint32_t id, const WireSocket *where) {
        return write_socket(socket, WIRE_LISTEN, id, where);
}

int wire_listen_read(WireMessage *message, WireSocket *ret_where, Error *error) {
        return read_socket(message, "listen", ret_where, error);
}

int wire_unlisten_write(int socket, const WireSocket *where) {
        return write_socket(socket, WIRE_UNLISTEN, 0, where);
}

int wire_unlisten_read(WireMessage *message, WireSocket *ret_where, Error *error) {
        return read_socket(message, "unlisten", ret_where, error);
}

int wire_listening_write(int socket, uint32_t id, int fd) {
        Packer packer = wire_begin(WIRE_LISTENING, id);

        return wire_finish(socket, &packer, &fd, 1);
}

int wire_listening_read(WireMessage *message, int *ret_fd, Error *error) {
        if (!unpack_end(&message->fields) || message->fd_count != 1)
                return wire_bad(error, "listening");
        *ret_fd = take_fd(message->fds[0]);
        return 0;
}

int wire_listen_refused_write(int socket, uint32_t id, uint32_t code) {
        Packer packer = wire_begin(WIRE_LISTEN_REFUSED, id);

        pack_u32(&packer, code);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_listen_refused_read(WireMessage *message, uint32_t *ret_code, Error *error) {
        uint32_t code = unpack_u32(&message->fields);

        if (!ends_without_fds(message))
                return wire_bad(error, "listen refused");
        *ret_code = code;
        return 0;
}

int wire_owner_ask_write(int socket, uint32_t id, const WireOwnerAsk *ask) {
        Packer packer = wire_begin(WIRE_OWNER_ASK, id);

        pack_u8(&packer, (uint8_t)ask->network);
        pack_socket(&packer, &ask->local);
        pack_socket(&packer, &ask->remote);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_owner_ask_read(WireMessage *message, WireOwnerAsk *ret_ask, Error *error) {
        WireOwnerAsk ask = { .network = (WireNetwork)unpack_u8(&message->fields) };

        unpack_socket(&message->fields, &ask.local);
        unpack_socket(&message->fields, &ask.remote);
        if (!ends_without_fds(message) ||
                (ask.network != WIRE_NETWORK_SANDBOX && ask.network != WIRE_NETWORK_POD))
                return wire_bad(error, "owner ask");
        *ret_ask = ask;
        return 0;
}

int wire_owner_write(int socket, uint32_t id, const WireOwner *owner) {
        Packer packer = wire_begin(WIRE_OWNER, id);

        pack_u8(&packer, (uint8_t)owner->ownership);
        pack_string(&packer, owner->container);
        pack_u32(&packer, owner->program_count);
        for (uint32_t i = 0; i < owner->program_count; i++) {
                const WireProgram *program = &owner->programs[i];

                pack_u32(&packer, program->pid);
                pack_u64(&packer, program->start_time);
                pack_u64(&packer, program->device);
                pack_u64(&packer, program->inode);
                pack_string(&packer, program->path);
        }
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_owner_read(WireMessage *message, WireOwner *ret_owner, Error *error) {
        Unpacker *fields = &message->fields;

        ret_owner->ownership = (WireOwnership)unpack_u8(fields);
        ret_owner->container = unpack_string(fields);
        ret_owner->program_count = unpack_count(fields, WIRE_PROGRAMS_MAX);
        for (uint32_t i = 0; i < ret_owner->program_count; i++) {
                WireProgram *program = &ret_owner->programs[i];

                program->pid = unpack_u32(fields);
                program->start_time = unpack_u64(fields);
                program->device = unpack_u64(fields);
                program->inode = unpack_u64(fields);
                program->path = unpack_string(fields);
        }
        if (!ends_without_fds(message) || ret_owner->ownership < WIRE_OWNER_FOUND ||
                ret_owner->ownership > WIRE_OWNER_AMBIGUOUS)
                return wire_bad(error, "owner");
        return 0;
}

int wire_programs_ask_write(
        int socket, uint32_t id, const char *container, const char *const *paths) {
        Packer packer = wire_begin(WIRE_PROGRAMS_ASK, id);

        pack_string(&packer, container);
        pack_strings(&packer, paths);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_programs_ask_read(
        WireMessage *message, const char **ret_container, const char ***ret_paths, Error *error) {
        const char *container = unpack_string(&message->fields);
        cleanup_free const char **paths = unpack_strings(&message->fields, WIRE_PATHS_MAX, NULL);

        if (!ends_without_fds(message))
                return wire_bad(error, "programs ask");
        *ret_container = container;
        *ret_paths = take_ptr(paths);
        return 0;
}

int wire_programs_write(int socket, uint32_t id, const WireFile *files, uint32_t count) {
        Packer packer = wire_begin(WIRE_PROGRAMS, id);

        pack_u32(&packer, count);
        for (uint32_t i = 0; i < count; i++) {
                pack_u64(&packer, files[i].device);
                pack_u64(&packer, files[i].inode);
        }
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_programs_read(WireMessage *message, WireFile *ret_files, uint32_t count, Error *error) {
        const uint32_t sent = unpack_count(&message->fields, WIRE_PATHS_MAX);

        for (uint32_t i = 0; i < sent && i < count; i++) {
                ret_files[i].device = unpack_u64(&message->fields);
                ret_files[i].inode = unpack_u64(&message->fields);
        }
        if (sent != count || !ends_without_fds(message))
                return wire_bad(error, "programs");
        return 0;
}
