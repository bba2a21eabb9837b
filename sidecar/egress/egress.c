/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the launcher says, and what the parts say to each other. The launcher gives descriptors
 * first, then the policy, then START; a policy may come again at any time.
 */
#include "sidecar/egress/egress.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "policy/flat.h"
#include "sidecar/egress/clock.h"
#include "sidecar/egress/connection.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SWEEP_SECONDS 1
/* Beside connections: listeners, pipes, the resolver's sockets, what the libraries hold. */
#define DESCRIPTORS_ASIDE (LISTENERS_MAX / 4 + 2U * (PIPES_LARGE_MAX + PIPES_SPARE_MAX) + 64U)
#define NAMES_PORT 53U

/* ---- what parts report ---- */

static void on_accepted(
        void *context, ListenerKind kind, int fd, const struct sockaddr_storage *peer) {
        Egress *egress = context;

        if (kind == LISTENER_NAMES)
                nameserver_accept(egress->nameserver, fd);
        else
                connection_accept(egress, kind, fd, peer);
}

static void on_listen_refused(void *context, const Address *address, uint16_t port, uint32_t code) {
        char text[ADDRESS_TEXT_SIZE];
        char number[16];

        address_format(address, text);
        (void)snprintf(number, sizeof(number), "%u", port);
        report_note(((Egress *)context)->report, "listener_refused",
                (const char *const[]){ "address", text, "port", number, "reason",
                        strerrordesc_np((int)code), NULL });
}

/* Unknown names, and names that a wildcard allows and somebody chose: both could carry data, so
 * both are written down. */
static void report_name(Egress *egress, const NamesOutcome *outcome) {
        const bool unknown = outcome->verdict == NAMES_UNKNOWN;

        if (!unknown && !(outcome->verdict == NAMES_ANSWERED && outcome->fresh && !outcome->pinned))
                return;
        report_event(egress->report,
                &(ReportEvent){
                        .verdict = unknown ? REPORT_DENIED : REPORT_ALLOWED,
                        .engine = "names",
                        .via = "names",
                        .host = outcome->host,
                        .protocol = outcome->type,
                        .reason = unknown ? "no_host" : "wildcard_name",
                        .text = unknown ? "no policy names the host" : "a wildcard covers the name",
                        .generation = judge_generation(egress->judge),
                });
}

static size_t on_name(void *context, const uint8_t *query, size_t size,
        uint8_t ret_answer[static NAMES_ANSWER_MAX]) {
        Egress *egress = context;
        const Policy *policy = judge_policy(egress->judge);
        NamesOutcome outcome;
        size_t answer;

        if (policy == NULL)
                return 0;
        answer = names_answer(
                egress->pool, policy, clock_seconds(), query, size, ret_answer, &outcome);
        report_name(egress, &outcome);
        return answer;
}

static void on_packet(void *context, uint8_t protocol, const Address *address, uint16_t port) {
        Egress *egress = context;
        const bool tcp = protocol == IPPROTO_TCP;
        char text[ADDRESS_TEXT_SIZE];

        if (tcp && (port == NAMES_PORT || listeners_cover(egress->listeners, address, port)))
                return;
        address_format(address, text);
        report_event(
                egress->report, &(ReportEvent){
                                        .verdict = REPORT_DENIED,
                                        .engine = "network",
                                        .via = "direct",
                                        .host = pool_find(egress->pool, address, clock_seconds()),
                                        .port = port,
                                        .address = text,
                                        .protocol = packets_protocol_name(protocol),
                                        .reason = tcp ? "no_port" : "no_protocol",
                                        .text = tcp ? "no policy lists the port"
                                                    : "only TCP and names leave a sandbox",
                                        .generation = judge_generation(egress->judge),
                                });
}

static void on_sweep(evutil_socket_t fd, short what, void *context) {
        Egress *egress = context;
        const int64_t now = clock_milliseconds();
        Connection *connection = TAILQ_FIRST(&egress->connections), *next;

        for (; connection != NULL; connection = next) {
                next = TAILQ_NEXT(connection, list);
                connection_check_deadline(connection, now);
        }
}

/* ---- what the launcher says ---- */

static int take_given(Egress *egress, const char *name, int fd, Error *error) {
        static const struct {
                const char *name;
                ListenerKind kind;
        } listeners[] = {
                { WIRE_LISTENER_PROXY, LISTENER_PROXY },
                { WIRE_LISTENER_POD_PROXY, LISTENER_POD_PROXY },
                { WIRE_LISTENER_NAMES_TCP4, LISTENER_NAMES },
                { WIRE_LISTENER_NAMES_TCP6, LISTENER_NAMES },
        };

        for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++)
                if (strcmp(name, listeners[i].name) == 0) {
                        if (listeners_add(egress->listeners, listeners[i].kind, fd) < 0)
                                return error_set(
                                        error, ERROR_OS, ENOMEM, "cannot accept on '%s'", name);
                        return 0;
                }
        if (strcmp(name, WIRE_SOCKET_NAMES_UDP4) == 0 ||
                strcmp(name, WIRE_SOCKET_NAMES_UDP6) == 0) {
                if (nameserver_add_udp(egress->nameserver, fd) < 0)
                        return error_set(error, ERROR_OS, ENOMEM, "cannot answer on '%s'", name);
                return 0;
        }
        if (strcmp(name, WIRE_SOCKET_PACKETS) == 0 && egress->packets == NULL)
                return packets_new(egress->loop, fd, on_packet, egress, &egress->packets, error);
        (void)fd_close(fd);
        return error_set(
                error, ERROR_PEER, 0, "the launcher gives '%s', for which there is no use", name);
}

static int given(Egress *egress, WireMessage *message, Error *error) {
        const char *name;
        int fd;

        if (wire_give_read(message, &name, &fd, error) < 0)
                return -1;
        return take_given(egress, name, fd, error);
}

static void rejudge_all(Egress *egress) {
        Connection *connection = TAILQ_FIRST(&egress->connections), *next;

        for (; connection != NULL; connection = next) {
                next = TAILQ_NEXT(connection, list);
                connection_rejudge(connection);
        }
}

static int read_policy(int fd, Policy **ret_policy, Error *error) {
        cleanup_free char *data = NULL;
        size_t size = 0;

        /* The launcher keeps the same memory file for the next egress: its offset is shared. */
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set(error, ERROR_OS, errno, "the policy's memory file");
        if (file_read_fd(fd, "policy", POLICY_FLAT_SIZE_MAX, &data, &size, error) < 0)
                return -1;
        return policy_unpack(data, size, ret_policy, error);
}

static int policy_changed(Egress *egress, WireMessage *message, Error *error) {
        cleanup(policy_unrefp) Policy *policy = NULL;
        cleanup_fd int fd = -1;
        uint32_t generation;

        if (wire_policy_read(message, &generation, &fd, error) < 0 ||
                read_policy(fd, &policy, error) < 0)
                return -1;
        judge_set_policy(egress->judge, policy, generation);
        listeners_set_policy(egress->listeners, policy, egress->pool, clock_seconds());
        rejudge_all(egress);
        if (wire_signal(control_fd(egress->control), WIRE_POLICY_TAKEN, generation) < 0)
                return error_set(error, ERROR_PEER, 0, "the launcher does not listen");
        return 0;
}

static int started(Egress *egress, WireMessage *message, Error *error) {
        egress->started = true;
        if (wire_signal(control_fd(egress->control), WIRE_READY, 0) < 0)
                return error_set(error, ERROR_PEER, 0, "the launcher does not listen");
        return 0;
}

static int on_message(void *context, WireMessage *message, Error *error) {
        static const struct {
                WireType type;
                int (*handle)(Egress *egress, WireMessage *message, Error *error);
        } handlers[] = {
                { WIRE_GIVE, given },
                { WIRE_POLICY, policy_changed },
                { WIRE_START, started },
        };
        Egress *egress = context;

        if (message == NULL) {
                (void)event_base_loopbreak(egress->loop);
                return 0;
        }
        for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
                if (handlers[i].type == message->header.type)
                        return handlers[i].handle(egress, message, error);
        return error_set(error, ERROR_PEER, 0, "the launcher says %d, which egress does not know",
                (int)message->header.type);
}

/* ---- life ---- */

static unsigned connection_limit(void) {
        struct rlimit descriptors;
        rlim_t connections;

        if (getrlimit(RLIMIT_NOFILE, &descriptors) < 0 ||
                descriptors.rlim_cur <= DESCRIPTORS_ASIDE + 2)
                return 1;
        connections = (descriptors.rlim_cur - DESCRIPTORS_ASIDE) / 2;
        return connections < EGRESS_CONNECTIONS_MAX ? (unsigned)connections
                                                    : EGRESS_CONNECTIONS_MAX;
}

static int make_parts(Egress *egress, int control_fd_given, Error *error) {
        const ListenersHandler accepted = {
                .accepted = on_accepted, .refused = on_listen_refused, .context = egress
        };
        const NameserverHandler named = { .answer = on_name, .context = egress };
        const struct timeval second = { .tv_sec = SWEEP_SECONDS };
        cleanup_fd int fd = control_fd_given;

        egress->loop = event_base_new();
        if (egress->loop == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot make the loop");
        if (control_new(egress->loop, take_fd(fd), on_message, egress, &egress->control, error) <
                        0 ||
                resolver_new(egress->loop, egress->options.resolv_conf, &egress->resolver, error) <
                        0 ||
                corporate_parse(getenv("HTTPS_PROXY"), getenv("HTTP_PROXY"), getenv("NO_PROXY"),
                        &egress->corporate, error) < 0)
                return -1;
        egress->report = report_new(egress->loop, egress->control);
        egress->judge = judge_new(egress->control);
        egress->pool = pool_new();
        egress->pipes = pipes_new();
        egress->listeners = listeners_new(egress->loop, egress->control, &accepted);
        egress->nameserver = nameserver_new(egress->loop, &named);
        egress->sweep = event_new(egress->loop, -1, EV_PERSIST, on_sweep, egress);
        if (egress->report == NULL || egress->judge == NULL || egress->pool == NULL ||
                egress->pipes == NULL || egress->listeners == NULL || egress->nameserver == NULL ||
                egress->sweep == NULL || event_add(egress->sweep, &second) < 0)
                return error_set(error, ERROR_OS, ENOMEM, "cannot start");
        return 0;
}

int egress_new(int control, const EgressOptions *options, Egress **ret_egress, Error *error) {
        cleanup(egress_freep) Egress *egress = calloc(1, sizeof(*egress));

        if (egress == NULL) {
                (void)fd_close(control);
                return error_set(error, ERROR_OS, ENOMEM, "cannot start");
        }
        egress->options = *options;
        egress->connection_limit = connection_limit();
        TAILQ_INIT(&egress->connections);
        if (make_parts(egress, control, error) < 0)
                return -1;
        *ret_egress = take_ptr(egress);
        return 0;
}

Egress *egress_free(Egress *egress) {
        if (egress == NULL)
                return NULL;
        while (!TAILQ_EMPTY(&egress->connections))
                connection_close(TAILQ_FIRST(&egress->connections));
        if (egress->sweep != NULL)
                event_free(egress->sweep);
        (void)packets_free(egress->packets);
        (void)nameserver_free(egress->nameserver);
        (void)listeners_free(egress->listeners);
        (void)pipes_free(egress->pipes);
        (void)resolver_free(egress->resolver);
        (void)pool_free(egress->pool);
        (void)judge_free(egress->judge);
        (void)report_free(egress->report);
        (void)control_free(egress->control);
        corporate_done(&egress->corporate);
        if (egress->loop != NULL)
                event_base_free(egress->loop);
        free(egress);
        return NULL;
}

int egress_run(Egress *egress, Error *error) {
        if (event_base_dispatch(egress->loop) < 0)
                return error_set(error, ERROR_OS, errno, "cannot wait for events");
        return 0;
}
