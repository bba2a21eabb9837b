/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Deciding: (policy, host, port, programs[, address]) -> verdict, rule, reason. Pure, below a
 * microsecond, as fast with 10 000 rules as with 10.
 *
 * It is asked twice: first by name, before a query for it leaves; then once for each address the
 * name has, before a connect to that very address. Where a ceiling bounds the policy, both have to
 * allow.
 *
 * An endpoint with `enforcement: audit` lets programs through that its policy does not name, to be
 * recorded; addresses and the ceiling decide all the same, and so does inspection.
 *
 * Which endpoints speak for a request: those whose host and port match and whose policy names the
 * program or one of its ancestors. The nearest program that a rule names decides, so that a rule
 * for a tool is not widened by one for the shell or interpreter that started it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* An executable, as /proc/PID/exe names it and stat finds it. 0, 0: unknown. */
typedef struct PolicyIdentity {
        uint64_t device, inode;
} PolicyIdentity;

typedef struct PolicyProgram {
        const char *path;
        PolicyIdentity identity;
} PolicyProgram;

typedef struct PolicyRequest {
        const char *host; /* as asked for: a name or a literal address, any case, a trailing dot
                             allowed */
        uint16_t port;
        const PolicyProgram *programs; /* the executable, its parent's, and so on */
        size_t program_count;
        const PolicyIdentity *identities; /* of the policy's exact binaries inside the workload's
                                             root, by PolicyBinary.number; NULL: unknown */
        const Address *address;           /* NULL: the question by name */
} PolicyRequest;

typedef enum PolicyReason {
        POLICY_REASON_ALLOWED = 1,
        POLICY_REASON_BAD_HOST,      /* not a name, and not an address in its plain form */
        POLICY_REASON_HOST,          /* no rule names the host */
        POLICY_REASON_PORT,          /* the host, but not the port */
        POLICY_REASON_BINARY,        /* host and port, but not for this program */
        POLICY_REASON_UNINSPECTABLE, /* its requests would have to be read, and this build cannot */
        POLICY_REASON_ADDRESS_CLASS, /* loopback, link-local, ...: refused whatever a policy says */
        POLICY_REASON_ADDRESS_PRIVATE, /* a private address of a host that is not named exactly */
        POLICY_REASON_ADDRESS_LIST,    /* outside the endpoint's allowed_ips */
        POLICY_REASON_GUARDED_PORT,    /* a control plane's port, never through a range */
        POLICY_REASON_CEILING,         /* the policy allows it, the node's ceiling does not */
} PolicyReason;

typedef struct PolicyDecision {
        bool allowed;
        bool recorded; /* allowed only because a rule says `enforcement: audit`; `reason` is why it
                          would be denied */
        PolicyReason reason;
        /* The rule that decided, or the nearest one that did not; NULL where there is none. Of the
         * policy, or under POLICY_REASON_CEILING of the ceiling. */
        const PolicyNetwork *network;
        const PolicyEndpoint *endpoint;
        const PolicyBinary *binary;
        size_t program;         /* which of the request's programs matched */
        bool workload_loopback; /* "localhost": the port of the workload's own loopback, no
                                   resolving */
        bool check_hello;       /* a TLS ClientHello must name the host; false with `tls: skip` */
} PolicyDecision;

PolicyDecision policy_decide(const Policy *policy, const PolicyRequest *request);

/* One sentence for the denial, the audit line and `policy explain`. */
void policy_decision_text(
        const PolicyDecision *decision, const PolicyRequest *request, char *ret_text, size_t room);
/* One word for metrics and JSON: "no_port". */
const char *policy_reason_name(PolicyReason reason);

/* Some rule, for whatever port and program, names this host: names that none does are not answered.
 */
bool policy_knows_host(const Policy *policy, const char *host);
/* All ports that rules name, sorted, each once. Returns how many there are; writes at most `room`.
 */
uint32_t policy_ports(const Policy *policy, uint16_t *ret_ports, uint32_t room);

/* A control plane's port, which no range of allowed_ips reaches: only an address that is listed
 * itself. */
bool policy_port_guarded(uint16_t port);

/* Why requests to this endpoint cannot be let through by host and port alone, or NULL when they
 * can. */
const char *policy_uninspectable(const PolicyEndpoint *endpoint);
