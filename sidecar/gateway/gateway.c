/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/gateway.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/confine.h"
#include "http/listener.h"
#include "http/transport.h"
#include "sidecar/gateway/certificate.h"
#include "sidecar/gateway/cluster.h"
#include "sidecar/gateway/connection.h"
#include "sidecar/gateway/control.h"
#include "sidecar/gateway/delegate.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CERTIFICATE_SIZE_MAX (256U * 1024U)
#define TOKEN_FILE_SIZE_MAX 8192U

static const struct timeval idle_time = { .tv_sec = 5 };

typedef struct Client {
        TAILQ_ENTRY(Client) entry;
        Gateway *gateway;
        Connection *connection; /* one of the three */
        Session *session;
        PortForward *forward;
} Client;

TAILQ_HEAD(ClientList, Client);

/* What the launcher gives before it says start. -1 and NULL: not given. */
typedef struct Given {
        int tls_listener, unix_listener;
        int credentials; /* directory with token and ca.crt of the cluster */
        char *certificate, *key, *token;
        size_t certificate_size, key_size, token_size;
} Given;

struct Gateway {
        struct event_base *loop;
        GatewayConfine confine;
        Control *control;
        Given given;
        Cluster cluster; /* the authorizer asks it */
        Authorizer *authorizer;
        Listener *tls, *local;
        struct ClientList waiting; /* connections, the oldest first */
        struct ClientList serving; /* sessions and port-forwards */
        unsigned waiting_count, forward_count;
        struct event *idle; /* when nobody has been here for a while */
        Error error;        /* why the role ends; kind 0: it was told to */
};

/* --- clients --- */

static bool is_idle(const Gateway *gateway) {
        return TAILQ_EMPTY(&gateway->waiting) && TAILQ_EMPTY(&gateway->serving);
}

static void on_idle(int fd, short what, void *owner) {
        if (is_idle(owner))
                memory_let_go_of_code();
}

static void client_free(Client *client) {
        Gateway *gateway = client->gateway;

        if (client->connection != NULL) {
                TAILQ_REMOVE(&gateway->waiting, client, entry);
                gateway->waiting_count--;
        } else {
                TAILQ_REMOVE(&gateway->serving, client, entry);
        }
        (void)connection_free(client->connection);
        (void)session_free(client->session);
        if (client->forward != NULL)
                gateway->forward_count--;
        (void)port_forward_free(client->forward);
        free(client);
        if (is_idle(gateway))
                (void)event_add(gateway->idle, &idle_time);
}

static void on_session_gone(void *owner, Session *session) {
        client_free(owner);
}

static void on_connection_gone(void *owner, Connection *connection) {
        client_free(owner);
}

/* The connection has handed its transport on; the client stays. */
static void begin_serving(Client *client) {
        Gateway *gateway = client->gateway;

        TAILQ_REMOVE(&gateway->waiting, client, entry);
        gateway->waiting_count--;
        TAILQ_INSERT_TAIL(&gateway->serving, client, entry);
        client->connection = connection_free(client->connection);
}

static void on_upgraded(void *owner, Connection *connection, const SessionParts *parts) {
        Client *client = owner;

        client->session = session_new(parts, on_session_gone, client);
        begin_serving(client);
        if (client->session == NULL)
                client_free(client);
}

static void on_forward_gone(void *owner) {
        client_free(owner);
}

static void on_forwarding(void *owner, Connection *connection, const PortForwardParts *parts) {
        Client *client = owner;

        client->forward = port_forward_new(parts, on_forward_gone, client);
        begin_serving(client);
        if (client->forward == NULL)
                client_free(client);
        else
                client->gateway->forward_count++;
}

static bool may_forward(void *owner) {
        const Client *client = owner;

        return client->gateway->forward_count < GATEWAY_FORWARDS_MAX;
}

static const ConnectionEvents connection_events = {
        on_upgraded,
        on_forwarding,
        may_forward,
        on_connection_gone,
};

static void on_accept(void *owner, Transport *transport, const ListenerPeer *peer) {
        Gateway *gateway = owner;
        const ConnectionParts parts = {
                .loop = gateway->loop,
                .control = gateway->control,
                .authorizer = gateway->authorizer,
                .peer = *peer,
                .transport = transport,
        };
        Client *client = calloc(1, sizeof(*client));

        if (client == NULL) {
                (void)transport_free(transport);
                return;
        }
        /* Whoever means it is served within milliseconds: the one who has waited longest is the one
         * who holds a place for nothing. */
        if (gateway->waiting_count >= GATEWAY_CONNECTIONS_MAX)
                client_free(TAILQ_FIRST(&gateway->waiting));
        client->gateway = gateway;
        client->connection = connection_new(&parts, &connection_events, client);
        if (client->connection == NULL) {
                free(client);
                return;
        }
        TAILQ_INSERT_TAIL(&gateway->waiting, client, entry);
        gateway->waiting_count++;
}

/* --- what the launcher says --- */

static void end(Gateway *gateway) {
        (void)event_base_loopbreak(gateway->loop);
}

static int keep_file(
        int fd, const char *name, size_t limit, char **ret_data, size_t *ret_size, Error *error) {
        int r;

        free(*ret_data);
        *ret_data = NULL;
        r = file_read_fd(fd, name, limit, ret_data, ret_size, error);
        (void)fd_close(fd);
        return r;
}

static void on_given(void *owner, const char *name, int fd) {
        Gateway *gateway = owner;
        Given *given = &gateway->given;
        int r = 0;

        if (strcmp(name, "listener-tls") == 0 && given->tls_listener < 0)
                given->tls_listener = fd;
        else if (strcmp(name, "listener-unix") == 0 && given->unix_listener < 0)
                given->unix_listener = fd;
        else if (strcmp(name, "credentials") == 0 && given->credentials < 0)
                given->credentials = fd;
        else if (strcmp(name, "certificate") == 0)
                r = keep_file(fd, name, CERTIFICATE_SIZE_MAX, &given->certificate,
                        &given->certificate_size, &gateway->error);
        else if (strcmp(name, "key") == 0)
                r = keep_file(fd, name, CERTIFICATE_SIZE_MAX, &given->key, &given->key_size,
                        &gateway->error);
        else if (strcmp(name, "token") == 0)
                r = keep_file(fd, name, TOKEN_FILE_SIZE_MAX, &given->token, &given->token_size,
                        &gateway->error);
        else {
                (void)fd_close(fd);
                r = error_set(&gateway->error, ERROR_PEER, 0,
                        "the launcher gave '%s', which is unknown or was given already", name);
        }
        if (r < 0)
                end(gateway);
}

/* Who was given no certificate makes one. */
static int have_certificate(Gateway *gateway, Error *error) {
        Given *given = &gateway->given;
        const char *name = gateway->cluster.pod;

        if (given->certificate != NULL && given->key != NULL)
                return 0;
        if (given->certificate != NULL || given->key != NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "the network listener was given a certificate without a key, or a key "
                        "without a certificate");
        return certificate_make(name != NULL ? name : "localhost", &given->certificate,
                &given->certificate_size, &given->key, &given->key_size, error);
}

static int start_tls(Gateway *gateway, Error *error) {
        Given *given = &gateway->given;
        Tls *tls;

        if (given->tls_listener < 0)
                return 0;
        if (have_certificate(gateway, error) < 0 ||
                tls_new(given->certificate, given->certificate_size, given->key, given->key_size,
                        &tls, error) < 0)
                return -1;
        return listener_new(gateway->loop, take_fd(given->tls_listener), tls, on_accept, gateway,
                &gateway->tls, error);
}

/* With a cluster, it says who may; without, only the static token does. */
static int start_delegate(Gateway *gateway, Error *error) {
        Delegate *delegate = NULL;
        int r;

        if (gateway->given.credentials < 0)
                return 0;
        r = cluster_read(take_fd(gateway->given.credentials), &gateway->cluster, error);
        if (r != 0)
                return r < 0 ? -1 : 0;
        if (delegate_new(gateway->loop, &gateway->cluster, &delegate, error) < 0)
                return -1;
        authorizer_delegate(gateway->authorizer, delegate);
        return 0;
}

static int start_local(Gateway *gateway, Error *error) {
        if (gateway->given.unix_listener < 0)
                return 0;
        return listener_new(gateway->loop, take_fd(gateway->given.unix_listener), NULL, on_accept,
                gateway, &gateway->local, error);
}

static void forget(char **secret, size_t *size) {
        if (*secret != NULL)
                explicit_bzero(*secret, *size);
        free(*secret);
        *secret = NULL;
        *size = 0;
}

static void given_done(Given *given) {
        forget(&given->certificate, &given->certificate_size);
        forget(&given->key, &given->key_size);
        forget(&given->token, &given->token_size);
        given->tls_listener = fd_close(given->tls_listener);
        given->unix_listener = fd_close(given->unix_listener);
        given->credentials = fd_close(given->credentials);
}

static int start(Gateway *gateway, Error *error) {
        const Given *given = &gateway->given;

        if (gateway->authorizer != NULL)
                return error_set(error, ERROR_PEER, 0, "the launcher said start twice");
        if (given->tls_listener < 0 && given->unix_listener < 0)
                return error_set(error, ERROR_INPUT, 0, "the launcher gave no listener");
        if (authorizer_new(gateway->loop, given->token, given->token_size, &gateway->authorizer,
                    error) < 0)
                return error_context(error, "token");
        if (start_delegate(gateway, error) < 0 || start_tls(gateway, error) < 0 ||
                start_local(gateway, error) < 0)
                return -1;
        given_done(&gateway->given);
        return gateway->confine(
                &(ConfineNeeds){ gateway->cluster.credentials, gateway->cluster.port }, error);
}

static void on_start(void *owner) {
        Gateway *gateway = owner;

        if (start(gateway, &gateway->error) < 0) {
                end(gateway);
                return;
        }
        memory_let_go_of_code();
        if (control_ready(gateway->control) < 0)
                end(gateway);
}

static void on_lost(void *owner) {
        end(owner);
}

/* An answer may end its connection, and that its client. */
static void on_targets(void *owner) {
        Gateway *gateway = owner;
        Client *next;

        for (Client *client = TAILQ_FIRST(&gateway->waiting); client != NULL; client = next) {
                next = TAILQ_NEXT(client, entry);
                connection_targets_changed(client->connection);
        }
}

static const ControlEvents control_events = { on_given, on_targets, on_start, on_lost };

/* --- life --- */

int gateway_new(struct event_base *loop, int control_socket, GatewayConfine confine,
        Gateway **ret_gateway, Error *error) {
        cleanup(gateway_freep) Gateway *gateway = calloc(1, sizeof(*gateway));

        if (gateway == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        gateway->loop = loop;
        gateway->confine = confine;
        gateway->given.tls_listener = -1;
        gateway->given.unix_listener = -1;
        gateway->given.credentials = -1;
        gateway->cluster = CLUSTER_NONE;
        TAILQ_INIT(&gateway->waiting);
        TAILQ_INIT(&gateway->serving);
        gateway->idle = event_new(loop, -1, 0, on_idle, gateway);
        if (gateway->idle == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory");
        if (control_new(loop, control_socket, &control_events, gateway, &gateway->control, error) <
                0)
                return -1;
        *ret_gateway = take_ptr(gateway);
        return 0;
}

Gateway *gateway_free(Gateway *gateway) {
        if (gateway == NULL)
                return NULL;
        while (!TAILQ_EMPTY(&gateway->waiting))
                client_free(TAILQ_FIRST(&gateway->waiting));
        while (!TAILQ_EMPTY(&gateway->serving))
                client_free(TAILQ_FIRST(&gateway->serving));
        (void)listener_free(gateway->tls);
        (void)listener_free(gateway->local);
        (void)authorizer_free(gateway->authorizer);
        (void)cluster_free(gateway->cluster);
        (void)control_free(gateway->control);
        given_done(&gateway->given);
        if (gateway->idle != NULL)
                event_free(gateway->idle);
        free(gateway);
        return NULL;
}

int gateway_run(Gateway *gateway, Error *error) {
        (void)event_base_dispatch(gateway->loop);
        if (gateway->error.kind == 0)
                return 0;
        *error = gateway->error;
        return -1;
}
