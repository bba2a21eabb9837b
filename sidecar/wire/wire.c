/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The codec of sidecar/wire. Every message is: u16 type, u16 zero, u32 id, fields. A reader takes exactly the fields of its type; a byte too
 * many or too few, a count over its bound, a descriptor too many is a broken peer, and the caller ends that peer.
 */
#include "sidecar/wire/wire.h"

#include "base/cleanup.h"
#include "sidecar/wire/codec.h"

#include <errno.h>
#include <stdlib.h>

#define WIRE_TARGETS_MAX 64U
#define WIRE_AUDIT_SIZE_MAX 4096U
#define WIRE_AUDIT_PAIRS_MAX 64U

int wire_receive(int socket, WireMessage *message) {
        uint16_t type, zero;
        ssize_t n;

        message->fd_count = 0;
        n = message_receive(socket, message->bytes, sizeof(message->bytes), message->fds, &message->fd_count);
        if (n <= 0)
                return (int)n;

        message->fields = unpacker(message->bytes, (size_t)n);
        type = unpack_u16(&message->fields);
        zero = unpack_u16(&message->fields);
        message->header.id = unpack_u32(&message->fields);
        if (message->fields.failed || zero != 0) {
                wire_message_done(message);
                return -EBADMSG;
        }
        message->header.type = (WireType)type;
        return 1;
}

void wire_message_done(WireMessage *message) {
        message_close_fds(message->fds, message->fd_count);
        message->fd_count = 0;
}

Packer wire_begin(WireType type, uint32_t id) {
        Packer packer = packer_growing(MESSAGE_SIZE_MAX);

        pack_u16(&packer, (uint16_t)type);
        pack_u16(&packer, 0);
        pack_u32(&packer, id);
        return packer;
}

int wire_finish(int socket, Packer *packer, const int *fds, size_t fd_count) {
        int r = packer->failed ? -EMSGSIZE : message_send(socket, packer->data, packer->size, fds, fd_count);

        packer_done(packer);
        return r;
}

int wire_bad(Error *error, const char *what) {
        return error_set(error, ERROR_PEER, 0, "a malformed %s message", what);
}

int wire_signal(int socket, WireType type, uint32_t id) {
        Packer packer = wire_begin(type, id);

        return wire_finish(socket, &packer, NULL, 0);
}

int wire_give(int socket, const char *name, int fd) {
        Packer packer = wire_begin(WIRE_GIVE, 0);

        pack_string(&packer, name);
        return wire_finish(socket, &packer, &fd, 1);
}

int wire_give_read(WireMessage *message, const char **ret_name, int *ret_fd, Error *error) {
        const char *name = unpack_string(&message->fields);

        if (!unpack_end(&message->fields) || message->fd_count != 1)
                return wire_bad(error, "give");
        *ret_name = name;
        *ret_fd = take_fd(message->fds[0]);
        return 0;
}

int wire_session_start_write(int socket, uint32_t id, const WireSessionStart *start) {
        Packer packer = wire_begin(WIRE_SESSION_START, id);

        pack_u32(&packer, start->flags);
        pack_u16(&packer, start->rows);
        pack_u16(&packer, start->columns);
        pack_string(&packer, start->container);
        pack_string(&packer, start->directory);
        pack_string(&packer, start->terminal);
        pack_string(&packer, start->caller);
        pack_string(&packer, start->source);
        pack_strings(&packer, start->arguments);
        pack_strings(&packer, start->environment);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_session_start_read(WireMessage *message, WireSessionStart *ret_start, Error *error) {
        cleanup_free const char **arguments = NULL;
        cleanup_free const char **environment = NULL;
        WireSessionStart start = { 0 };
        Unpacker *fields = &message->fields;

        start.flags = unpack_u32(fields);
        start.rows = unpack_u16(fields);
        start.columns = unpack_u16(fields);
        start.container = unpack_string(fields);
        start.directory = unpack_string(fields);
        start.terminal = unpack_string(fields);
        start.caller = unpack_string(fields);
        start.source = unpack_string(fields);
        arguments = unpack_strings(fields, WIRE_ARGUMENTS_MAX, NULL);
        environment = unpack_strings(fields, WIRE_ENVIRONMENT_MAX, NULL);
        if (!unpack_end(fields) || message->fd_count != 0)
                return wire_bad(error, "session start");
        start.arguments = take_ptr(arguments);
        start.environment = take_ptr(environment);
        *ret_start = start;
        return 0;
}

int wire_session_started_write(
        int socket, uint32_t id, uint64_t number, const char *status, const int *fds, size_t fd_count) {
        Packer packer = wire_begin(WIRE_SESSION_STARTED, id);

        pack_u64(&packer, number);
        pack_string(&packer, status);
        return wire_finish(socket, &packer, fds, fd_count);
}

int wire_session_started_read(WireMessage *message, uint64_t *ret_number, const char **ret_status, Error *error) {
        uint64_t number = unpack_u64(&message->fields);
        const char *status = unpack_string(&message->fields);

        if (!unpack_end(&message->fields))
                return wire_bad(error, "session started");
        *ret_number = number;
        *ret_status = status;
        return 0;
}

int wire_session_refused_write(int socket, uint32_t id, const WireSessionRefused *refused) {
        Packer packer = wire_begin(WIRE_SESSION_REFUSED, id);

        pack_u8(&packer, (uint8_t)refused->kind);
        pack_u8(&packer, refused->exit_code);
        pack_u32(&packer, refused->code);
        pack_string(&packer, refused->step);
        pack_string(&packer, refused->text);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_session_refused_read(WireMessage *message, WireSessionRefused *ret_refused, Error *error) {
        WireSessionRefused refused = { .kind = (ErrorKind)unpack_u8(&message->fields) };

        refused.exit_code = unpack_u8(&message->fields);
        refused.code = unpack_u32(&message->fields);
        refused.step = unpack_string(&message->fields);
        refused.text = unpack_string(&message->fields);
        if (!unpack_end(&message->fields) || message->fd_count != 0)
                return wire_bad(error, "session refused");
        *ret_refused = refused;
        return 0;
}

int wire_session_ended_write(int socket, uint32_t id, uint8_t exit_code, bool signalled) {
        Packer packer = wire_begin(WIRE_SESSION_ENDED, id);

        pack_u8(&packer, exit_code);
        pack_u8(&packer, signalled);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_session_ended_read(WireMessage *message, uint8_t *ret_exit_code, bool *ret_signalled, Error *error) {
        uint8_t exit_code = unpack_u8(&message->fields);
        bool signalled = unpack_u8(&message->fields) != 0;

        if (!unpack_end(&message->fields) || message->fd_count != 0)
                return wire_bad(error, "session ended");
        *ret_exit_code = exit_code;
        *ret_signalled = signalled;
        return 0;
}

int wire_session_stop_write(int socket, uint32_t id, const char *reason) {
        Packer packer = wire_begin(WIRE_SESSION_STOP, id);

        pack_string(&packer, reason);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_session_stop_read(WireMessage *message, const char **ret_reason, Error *error) {
        const char *reason = unpack_string(&message->fields);

        if (!unpack_end(&message->fields) || message->fd_count != 0)
                return wire_bad(error, "session stop");
        *ret_reason = reason;
        return 0;
}

int wire_targets_write(int socket, const WireTargets *targets) {
        Packer packer = wire_begin(WIRE_TARGETS, 0);

        pack_string(&packer, targets->pod_namespace);
        pack_string(&packer, targets->pod_name);
        pack_strings(&packer, targets->containers);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_targets_read(WireMessage *message, WireTargets *ret_targets, Error *error) {
        const char *pod_namespace = unpack_string(&message->fields);
        const char *pod_name = unpack_string(&message->fields);
        cleanup_free const char **containers = unpack_strings(&message->fields, WIRE_TARGETS_MAX, NULL);

        if (!unpack_end(&message->fields) || message->fd_count != 0)
                return wire_bad(error, "targets");
        *ret_targets = (WireTargets){ pod_namespace, pod_name, take_ptr(containers) };
        return 0;
}

int wire_connect_write(int socket, uint32_t id, uint16_t port) {
        Packer packer = wire_begin(WIRE_CONNECT, id);

        pack_u16(&packer, port);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_connect_read(WireMessage *message, uint16_t *ret_port, Error *error) {
        uint16_t port = unpack_u16(&message->fields);

        if (!unpack_end(&message->fields) || message->fd_count != 0 || port == 0)
                return wire_bad(error, "connect");
        *ret_port = port;
        return 0;
}

int wire_connected_write(int socket, uint32_t id, int fd) {
        Packer packer = wire_begin(WIRE_CONNECTED, id);

        return wire_finish(socket, &packer, &fd, 1);
}

int wire_connected_read(WireMessage *message, int *ret_fd, Error *error) {
        if (!unpack_end(&message->fields) || message->fd_count != 1)
                return wire_bad(error, "connected");
        *ret_fd = take_fd(message->fds[0]);
        return 0;
}

int wire_connect_refused_write(int socket, uint32_t id, const char *text) {
        Packer packer = wire_begin(WIRE_CONNECT_REFUSED, id);

        pack_string(&packer, text);
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_connect_refused_read(WireMessage *message, const char **ret_text, Error *error) {
        const char *text = unpack_string(&message->fields);

        if (!unpack_end(&message->fields) || message->fd_count != 0)
                return wire_bad(error, "connect refused");
        *ret_text = text;
        return 0;
}

int wire_audit_write(int socket, const char *event, const char *const *pairs) {
        Packer packer = wire_begin(WIRE_AUDIT, 0);

        pack_string(&packer, event);
        pack_strings(&packer, pairs);
        if (packer.size > WIRE_AUDIT_SIZE_MAX)
                packer.failed = true;
        return wire_finish(socket, &packer, NULL, 0);
}

int wire_audit_read(WireMessage *message, const char **ret_event, const char ***ret_pairs, Error *error) {
        cleanup_free const char **pairs = NULL;
        uint32_t count = 0;
        const char *event;

        if (message->fields.size > WIRE_AUDIT_SIZE_MAX)
                return wire_bad(error, "audit");
        event = unpack_string(&message->fields);
        pairs = unpack_strings(&message->fields, WIRE_AUDIT_PAIRS_MAX, &count);
        if (!unpack_end(&message->fields) || message->fd_count != 0 || count % 2 != 0)
                return wire_bad(error, "audit");
        *ret_event = event;
        *ret_pairs = take_ptr(pairs);
        return 0;
}
