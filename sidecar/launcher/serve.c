/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A closed table: what is not in it, or comes in a state in which it may not, is a broken gateway,
 * and a broken gateway is ended. It speaks to the network, so this table is what an attacker who
 * has taken it over can do: ask for sessions as the sandbox user, under the policy, and write audit
 * lines under its own name.
 */
#include "sidecar/launcher/serve.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "sidecar/launcher/network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int give(Launcher *launcher, const char *name, int fd) {
        Role *gateway = &launcher->gateway;

        return role_sent(gateway, wire_give(gateway->control, name, fd));
}

/* Where Kubernetes mounts what speaks to the API server; the directory, because the token in it
 * changes while we run. */
#define CREDENTIALS_DIRECTORY "/var/run/secrets/kubernetes.io/serviceaccount"

/* A file that is not there is not given: the gateway makes a certificate, and takes no static
 * token. One that cannot be opened is an error of whoever mounted it. */
static void give_file(Launcher *launcher, const char *file, const char *name) {
        const char *directory = launcher->options->tls_directory;
        char path[4096];
        cleanup_fd int fd = -1;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, file);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0)
                (void)give(launcher, name, fd);
        else if (errno != ENOENT)
                log_line(LOG_LEVEL_ERROR, "cannot open '%s': %s", path, strerrordesc_np(errno));
}

static void give_credentials(Launcher *launcher) {
        cleanup_fd int fd = open(CREDENTIALS_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                (void)give(launcher, "credentials", fd);
}

static void give_all(Launcher *launcher) {
        if (launcher->tls_listener >= 0) {
                give_file(launcher, "tls.crt", "certificate");
                give_file(launcher, "tls.key", "key");
                give_file(launcher, "token", "token");
                give_credentials(launcher);
                (void)give(launcher, "listener-tls", launcher->tls_listener);
        }
        (void)give(launcher, "listener-unix", launcher->unix_listener);
        (void)role_sent(&launcher->gateway, wire_signal(launcher->gateway.control, WIRE_START, 0));
}

void serve_start_gateway(Launcher *launcher) {
        Role *gateway = &launcher->gateway;
        Error error;

        if (role_start(gateway, &error) < 0) {
                (void)log_error(&error, "starting");
                role_ended(gateway);
                return;
        }
        give_all(launcher);
        serve_tell_targets(launcher);
}

void serve_tell_targets(Launcher *launcher) {
        Role *gateway = &launcher->gateway;
        cleanup_free const char **names = targets_names(&launcher->targets);
        const Target *first = launcher->targets.first;
        WireTargets targets = { .pod_namespace = "", .pod_name = "", .containers = names };

        if (gateway->control < 0 || names == NULL)
                return;
        if (first != NULL) {
                targets.pod_namespace = first->record.pod_namespace;
                targets.pod_name = first->record.pod_name;
        }
        (void)role_sent(gateway, wire_targets_write(gateway->control, &targets));
}

void serve_audit_role(Launcher *launcher, const Role *role, const char *name) {
        AuditEvent event;

        audit_begin(&event, "launcher", name);
        audit_text(&event, "process", role->name);
        if (audit_write(&launcher->audit, &event) < 0)
                audit_lose(&launcher->audit);
}

void serve_lose_gateway(Launcher *launcher) {
        for (Session *session = launcher->sessions; session != NULL; session = session->next)
                session_abandon(session);
        serve_audit_role(launcher, &launcher->gateway, "process_ended");
        role_ended(&launcher->gateway);
}

static int ready(Launcher *launcher, WireMessage *message, Error *error) {
        (void)message;
        (void)error;
        launcher->gateway.state = ROLE_SERVING;
        serve_audit_role(launcher, &launcher->gateway, "process_ready");
        return 0;
}

static int refuse(Launcher *launcher, uint32_t id, const Error *why) {
        const WireSessionRefused refused = {
                .kind = why->kind, .code = (uint32_t)why->code, .step = "request", .text = why->text
        };
        AuditEvent event;

        audit_begin(&event, "launcher", "session_refused");
        audit_text(&event, "reason", why->text);
        if (audit_write(&launcher->audit, &event) < 0)
                audit_lose(&launcher->audit);
        return role_sent(&launcher->gateway,
                wire_session_refused_write(launcher->gateway.control, id, &refused));
}

static Session *find_session(Launcher *launcher, uint32_t id) {
        for (Session *session = launcher->sessions; session != NULL; session = session->next)
                if (session->id == id && session->role != NULL && session->state != SESSION_ENDED)
                        return session;
        return NULL;
}

static int start_session(
        Launcher *launcher, uint32_t id, const WireSessionStart *start, Error *error) {
        Target *target = NULL;
        Session *session = NULL;

        if (launcher->session_count >= LAUNCHER_SESSIONS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "%u sessions run in this pod already",
                        LAUNCHER_SESSIONS_MAX);
        if (launcher->ending)
                return error_set(error, ERROR_OS, 0, "the sidecar is shutting down");
        if (targets_select(&launcher->targets, start->container, &target, error) < 0)
                return -1;
        (void)target_refresh(target, launcher->host.proc_fd);
        if (session_start(&launcher->host, launcher->session_number + 1, id, &launcher->gateway,
                    target, start, &session, error) < 0)
                return -1;
        launcher->session_number++;
        launcher->session_count++;
        session->next = launcher->sessions;
        launcher->sessions = session;
        return 0;
}

static int session_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        cleanup_free const char **arguments = NULL;
        cleanup_free const char **environment = NULL;
        WireSessionStart start;
        Error why;

        if (wire_session_start_read(message, &start, error) < 0)
                return -1;
        arguments = start.arguments;
        environment = start.environment;
        if (find_session(launcher, message->header.id) != NULL)
                return error_set(
                        error, ERROR_PEER, 0, "session %u was asked for twice", message->header.id);
        if (start_session(launcher, message->header.id, &start, &why) < 0)
                (void)refuse(launcher, message->header.id, &why);
        return 0;
}

static int session_unwanted(Launcher *launcher, WireMessage *message, Error *error) {
        Session *session = find_session(launcher, message->header.id);
        const char *reason;

        if (wire_session_stop_read(message, &reason, error) < 0)
                return -1;
        if (session != NULL) /* it may have ended while the message was on its way */
                session_stop(session, reason);
        return 0;
}

static int connection_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        Role *gateway = &launcher->gateway;
        uint32_t id = message->header.id;
        cleanup_fd int fd = -1;
        uint16_t port;
        Error why;

        if (wire_connect_read(message, &port, error) < 0)
                return -1;
        if (network_connect(
                    launcher->host.proc_fd, launcher->host.base.network_fd, port, &fd, &why) < 0)
                (void)role_sent(
                        gateway, wire_connect_refused_write(gateway->control, id, why.text));
        else
                (void)role_sent(gateway, wire_connected_write(gateway->control, id, fd));
        return 0;
}

int serve_audit_line(Launcher *launcher, const Role *role, WireMessage *message, Error *error) {
        cleanup_free const char **pairs = NULL;
        const char *name;
        AuditEvent event;

        if (wire_audit_read(message, &name, &pairs, error) < 0)
                return -1;
        audit_begin(&event, role->name, name);
        for (size_t i = 0; pairs[i] != NULL; i += 2) {
                if (!audit_is_key(pairs[i]) || audit_find(&event, pairs[i]) != NULL)
                        return error_set(error, ERROR_PEER, 0,
                                "an audit line with the key '%.32s', or with it twice", pairs[i]);
                audit_text(&event, pairs[i], pairs[i + 1]);
        }
        if (audit_write(&launcher->audit, &event) < 0)
                audit_lose(&launcher->audit);
        return 0;
}

static int line_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        return serve_audit_line(launcher, &launcher->gateway, message, error);
}

static const struct {
        WireType type;
        RoleState state; /* in which it is permitted */
        int (*handle)(Launcher *launcher, WireMessage *message, Error *error);
} requests[] = {
        { WIRE_READY, ROLE_STARTING, ready },
        { WIRE_SESSION_START, ROLE_SERVING, session_wanted },
        { WIRE_SESSION_STOP, ROLE_SERVING, session_unwanted },
        { WIRE_CONNECT, ROLE_SERVING, connection_wanted },
        { WIRE_AUDIT, ROLE_SERVING, line_wanted },
};

static int dispatch(Launcher *launcher, WireMessage *message, Error *error) {
        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
                if (requests[i].type == message->header.type &&
                        requests[i].state == launcher->gateway.state)
                        return requests[i].handle(launcher, message, error);
        return error_set(error, ERROR_PEER, 0, "message %d in state %d", (int)message->header.type,
                (int)launcher->gateway.state);
}

void serve_hear_gateway(Launcher *launcher) {
        Role *gateway = &launcher->gateway;
        Error error;
        int r;

        if (gateway->control < 0) /* its end was heard of earlier in this turn */
                return;
        r = wire_receive(gateway->control, &launcher->message);
        if (r == -EAGAIN)
                return;
        if (r <= 0) {
                gateway->state = ROLE_FAILED;
                return;
        }
        if (dispatch(launcher, &launcher->message, &error) < 0) {
                (void)log_error(&error, "the %s is ended for what it said", gateway->name);
                gateway->state = ROLE_FAILED;
        }
        wire_message_done(&launcher->message);
}
