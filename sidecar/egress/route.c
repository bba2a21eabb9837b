/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/route.h"

#include "sidecar/egress/clock.h"
#include "sidecar/egress/egress.h"
#include "sidecar/egress/refuse.h"
#include "sidecar/egress/socket.h"

#include <sys/socket.h>

/* A look-up that was under way when the connection came does not count; two always suffice. */
#define LOOK_UPS_MAX 2U

static void decide(Connection *connection);
static void rejudge(Connection *connection);

/* ---- CONNECTING, INTRODUCING ---- */

static void introduce(Connection *connection) {
        char head[CORPORATE_HEAD_MAX];
        const size_t size =
                corporate_write_connect(connection->corporate, &connection->destination, head);

        connection->state = CONNECTION_INTRODUCING;
        if (send(connection->upstream, head, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
                connection_fail(
                        connection, &(Error){ .kind = ERROR_PEER,
                                            .text = "the network's proxy takes no request" });
}

/* By name and, where we know it, by the address that is connected to. */
static void judge_whole(Connection *connection, Verdict *ret_verdict) {
        const Judge *judge = connection->egress->judge;

        judge_decide(judge, &connection->destination, connection->owner, NULL, ret_verdict);
        if (ret_verdict->decision.allowed && connection->address_known &&
                connection->corporate == NULL && !ret_verdict->decision.workload_loopback)
                judge_decide(judge, &connection->destination, connection->owner,
                        &connection->address, ret_verdict);
}

static void report_passing(Connection *connection, const Verdict *verdict) {
        connection_report(connection,
                verdict->decision.recorded ? REPORT_LET_THROUGH : REPORT_ALLOWED, "policy",
                policy_reason_name(verdict->decision.reason), verdict->text, verdict);
}

static void on_connected(void *context, int fd, const Address *address, const Error *error) {
        Connection *connection = context;
        Verdict verdict;

        connection->connecting = NULL;
        connection->address = *address;
        connection->address_known = true;
        if (fd < 0) {
                connection_fail(connection, error);
                return;
        }
        connection->upstream = fd;
        socket_no_delay(fd);
        judge_whole(connection, &verdict); /* the policy may be another than when this began */
        if (!verdict.decision.allowed) {
                connection_deny(connection, &verdict);
                return;
        }
        connection->hello_wanted =
                connection->form == REQUEST_TUNNEL && verdict.decision.check_hello;
        report_passing(connection, &verdict);
        if (connection_watch_upstream(connection) < 0)
                connection_close(connection);
        else if (connection->corporate != NULL && connection->form == REQUEST_TUNNEL)
                introduce(connection);
        else
                connection_begin_relay(connection);
}

static void connect_to(
        Connection *connection, const Address *addresses, size_t count, uint16_t port) {
        Error error = { 0 };

        connection->state = CONNECTION_CONNECTING;
        if (upstream_connect(connection->egress->loop, addresses, count, port, on_connected,
                    connection, &connection->connecting, &error) < 0)
                connection_fail(connection, &error);
}

/* ---- RESOLVING ---- */

/* All of them have to pass: a name with one public and one private address is somebody's trick, or
 * somebody's mistake. */
static void on_resolved(void *context, const Address *addresses, size_t count, const Error *error) {
        Connection *connection = context;
        Verdict verdict;

        connection->resolution = NULL;
        if (count == 0) {
                connection_fail(connection, error);
                return;
        }
        for (size_t i = 0; i < count && connection->corporate == NULL; i++) {
                judge_decide(connection->egress->judge, &connection->destination, connection->owner,
                        &addresses[i], &verdict);
                if (!verdict.decision.allowed) {
                        connection->address = addresses[i];
                        connection->address_known = true;
                        connection_deny(connection, &verdict);
                        return;
                }
        }
        connect_to(connection, addresses, count,
                connection->corporate != NULL ? connection->corporate->address.port
                                              : connection->destination.port);
}

static void resolve(Connection *connection) {
        const Destination *to = connection->corporate != NULL ? &connection->corporate->address
                                                              : &connection->destination;
        Error error = { 0 };

        connection->state = CONNECTION_RESOLVING;
        if (to->literal)
                on_resolved(connection, &to->address, 1, NULL);
        else if (resolver_ask(connection->egress->resolver, to->host, on_resolved, connection,
                         &connection->resolution, &error) < 0)
                connection_fail(connection, &error);
}

/* A port of the workload's own loopback. Ours are never meant: the exec endpoint, the proxy. */
static void connect_loopback(Connection *connection) {
        static const uint8_t ipv4[4] = { 127, 0, 0, 1 }, ipv6[16] = { [15] = 1 };
        const Address loopback[2] = { address_from_bytes(ipv4, sizeof(ipv4)),
                address_from_bytes(ipv6, sizeof(ipv6)) };
        const EgressOptions *options = &connection->egress->options;

        for (unsigned i = 0; i < options->own_port_count; i++)
                if (options->own_ports[i] == connection->destination.port) {
                        connection_refuse(connection, 403, "policy", "own_port",
                                "that port of the pod is the sandbox's own", NULL);
                        return;
                }
        connect_to(connection, loopback, 2, connection->destination.port);
}

/* ---- DECIDING ---- */

static void on_looked_up(void *context) {
        decide(context);
}

/* True when the verdict has to wait. */
static bool look_up(Connection *connection, const Verdict *verdict) {
        Judge *judge = connection->egress->judge;

        if (connection->looked_up >= LOOK_UPS_MAX ||
                !judge_is_stale(judge, connection->owner, verdict, connection->judge_since))
                return false;
        connection->looked_up++;
        connection->wait.done = on_looked_up;
        connection->wait.context = connection;
        return judge_look_up(judge, connection->owner, &connection->wait);
}

static void decide(Connection *connection) {
        Verdict verdict;

        if (connection->state == CONNECTION_RELAYING) {
                rejudge(connection);
                return;
        }
        connection->state = CONNECTION_DECIDING;
        judge_decide(connection->egress->judge, &connection->destination, connection->owner, NULL,
                &verdict);
        if (look_up(connection, &verdict))
                return;
        if (!verdict.decision.allowed) {
                connection_deny(connection, &verdict);
                return;
        }
        connection->deadline = clock_milliseconds() + CONNECTION_PREPARING_MS;
        if (verdict.decision.workload_loopback) {
                connect_loopback(connection);
                return;
        }
        connection->corporate = corporate_choose(&connection->egress->corporate,
                &connection->destination, connection->form == REQUEST_FORWARD);
        resolve(connection);
}

void route_begin(Connection *connection) {
        const Owner *owner = connection->owner;

        if (!connection->owner_known || !connection->destination_known ||
                connection->state != CONNECTION_ASKING)
                return;
        if (owner == NULL || owner->ownership == WIRE_OWNER_GONE)
                connection_refuse(connection, 403, "owner", "owner_gone",
                        "the program that made this connection is not to be found any more", NULL);
        else if (owner->ownership == WIRE_OWNER_AMBIGUOUS)
                connection_refuse(connection, 403, "owner", "owner_ambiguous",
                        "several programs have this connection, so it cannot be told who speaks",
                        NULL);
        else
                decide(connection);
}

static void rejudge(Connection *connection) {
        Verdict verdict;

        judge_whole(connection, &verdict);
        if (verdict.decision.allowed || look_up(connection, &verdict))
                return;
        socket_reset_on_close(connection->upstream);
        connection_deny(connection, &verdict);
}

void connection_rejudge(Connection *connection) {
        if (connection->state != CONNECTION_RELAYING)
                return; /* it asks again before it relays */
        connection->judge_since = clock_milliseconds();
        connection->looked_up = 0;
        rejudge(connection);
}
