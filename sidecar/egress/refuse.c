/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/refuse.h"

#include "base/fd.h"
#include "sidecar/egress/clock.h"
#include "sidecar/egress/egress.h"
#include "sidecar/egress/reply.h"
#include "sidecar/egress/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const char *via_name(ListenerKind kind) {
        static const char *const names[] = { "", "proxy", "pod-proxy", "names", "transparent" };

        return names[kind];
}

void connection_report(Connection *connection, ReportVerdict outcome, const char *engine,
        const char *reason, const char *text, const Verdict *verdict) {
        const PolicyNetwork *network = verdict != NULL ? verdict->decision.network : NULL;
        const PolicyEndpoint *endpoint = verdict != NULL ? verdict->decision.endpoint : NULL;
        const Destination *destination = &connection->destination;
        char address[ADDRESS_TEXT_SIZE] = "";

        if (connection->address_known)
                address_format(&connection->address, address);
        report_event(connection->egress->report,
                &(ReportEvent){
                        .verdict = outcome,
                        .engine = engine,
                        .via = via_name(connection->kind),
                        .host = connection->destination_known ? destination->host : NULL,
                        .port = connection->destination_known ? destination->port : 0,
                        .address = address,
                        .binary = owner_path(connection->owner),
                        .pid = connection->owner != NULL ? connection->owner->pid : 0,
                        .container =
                                connection->owner != NULL ? connection->owner->container : NULL,
                        .policy = network != NULL ? network->name : NULL,
                        .rule = endpoint != NULL ? endpoint->host : NULL,
                        .reason = reason,
                        .text = text,
                        .generation = judge_generation(connection->egress->judge),
                });
}

/* Lets the client read what was sent: a close with unread bytes would be a reset that overtakes it.
 */
static void linger(Connection *connection) {
        if (connection->upstream >= 0)
                socket_reset_on_close(connection->upstream);
        (void)shutdown(connection->client, SHUT_WR);
        connection->state = CONNECTION_LINGERING;
        connection->deadline = clock_milliseconds() + CONNECTION_LINGER_MS;
        /* What is there already makes no new edge. */
        event_active(&connection->client_event, EV_READ, 0);
}

static bool is_explicit(const Connection *connection) {
        return connection->kind == LISTENER_PROXY || connection->kind == LISTENER_POD_PROXY;
}

static const char *error_name(unsigned status) {
        static const struct {
                unsigned status;
                const char *name;
        } names[] = {
                { 403, "policy_denied" },
                { 408, "request_timeout" },
                { 431, "request_too_large" },
                { 502, "upstream_failed" },
                { 503, "unavailable" },
                { 504, "upstream_timeout" },
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (names[i].status == status)
                        return names[i].name;
        return "bad_request";
}

static void reply(Connection *connection, unsigned status, const char *reason, const char *text,
        const Verdict *verdict) {
        const Refusal refusal = {
                .status = status,
                .error = error_name(status),
                .detail = text,
                .reason = reason,
                .destination = connection->destination_known ? &connection->destination : NULL,
                .binary = owner_path(connection->owner),
                .decision = verdict != NULL ? &verdict->decision : NULL,
                .generation = judge_generation(connection->egress->judge),
        };
        char response[REPLY_SIZE_MAX];
        const size_t size = reply_write(&refusal, response);

        /* A fresh socket takes it whole; a client that does not read it has no use for the rest. */
        (void)send(connection->client, response, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void end(Connection *connection, unsigned status, const char *reason, const char *text,
        const Verdict *verdict) {
        if (is_explicit(connection) && connection->state < CONNECTION_RELAYING) {
                reply(connection, status, reason, text, verdict);
                linger(connection);
                return;
        }
        socket_reset_on_close(connection->client);
        connection_close(connection);
}

void connection_refuse(Connection *connection, unsigned status, const char *engine,
        const char *reason, const char *text, const Verdict *verdict) {
        connection_report(connection, REPORT_DENIED, engine, reason, text, verdict);
        end(connection, status, reason, text, verdict);
}

static const char *engine_of(PolicyReason reason) {
        switch (reason) {
        case POLICY_REASON_ADDRESS_CLASS:
        case POLICY_REASON_ADDRESS_PRIVATE:
        case POLICY_REASON_ADDRESS_LIST:
        case POLICY_REASON_GUARDED_PORT:
                return "ssrf";
        case POLICY_REASON_ALLOWED:
        case POLICY_REASON_BAD_HOST:
        case POLICY_REASON_HOST:
        case POLICY_REASON_PORT:
        case POLICY_REASON_BINARY:
        case POLICY_REASON_UNINSPECTABLE:
        case POLICY_REASON_CEILING:
                break;
        }
        return "policy";
}

void connection_deny(Connection *connection, const Verdict *verdict) {
        const PolicyReason reason = verdict->decision.reason;

        connection_refuse(connection, 403, engine_of(reason), policy_reason_name(reason),
                verdict->text, verdict);
}

void connection_alert(Connection *connection, const char *reason, const char *text) {
        /* A fatal alert, access_denied (RFC 8446 6.2), in a record of its own: a client says that
         * aloud instead of "connection reset". */
        static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 49 };

        connection_report(connection, REPORT_DENIED, "tls", reason, text, NULL);
        (void)send(connection->client, alert, sizeof(alert), MSG_DONTWAIT | MSG_NOSIGNAL);
        linger(connection);
}

void connection_fail(Connection *connection, const Error *error) {
        const bool late = error->code == ETIMEDOUT;

        connection_report(connection, REPORT_FAILED, "policy",
                late ? "upstream_timeout" : "upstream_failed", error->text, NULL);
        end(connection, late ? 504 : 502, late ? "upstream_timeout" : "upstream_failed",
                error->text, NULL);
}
