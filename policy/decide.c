/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One walk over the endpoints that match host and port. Each is asked which of the request's
 * programs its policy names; only what the nearest program got counts in the end. Among those, an
 * endpoint that would have to read requests and cannot makes the answer no: another one that asks
 * for host and port alone must not be the way around it.
 */
#include "policy/decide.h"

#include "policy/index.h"
#include "policy/pattern.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY SIZE_MAX

/* Control planes: etcd, kubelet, the API server. A range that a policy allows for databases must
 * not reach them. */
static const uint16_t guarded_ports[] = { 2379, 2380, 6443, 10250, 10255 };

#define HASHES_MAX 32U /* of programs: more than the launcher tells of */

typedef struct Question {
        const PolicyRequest *request;
        const PolicyIndex *index;
        uint32_t hashes[HASHES_MAX]; /* of the programs' paths, the first `hashed` */
        size_t hashed;
        const Address *address;    /* of the request, or what its literal host says */
        AddressClass class;        /* of address */
        size_t program;            /* the nearest so far; NOBODY */
        PolicyDecision allowed;    /* network NULL: none yet */
        PolicyDecision unreadable; /* would have to be inspected */
        PolicyDecision recorded;   /* of a rule in audit mode, while no program is named */
        PolicyDecision denied;     /* the nearest miss */
} Question;

static bool same_identity(const PolicyIdentity *a, const PolicyIdentity *b) {
        return a->inode != 0 && a->inode == b->inode && a->device == b->device;
}

/* Made when it is first asked for: most requests are decided by the first program. */
static uint32_t hash_of(Question *question, size_t program) {
        if (program >= HASHES_MAX)
                return policy_index_hash(question->request->programs[program].path);
        for (; question->hashed <= program; question->hashed++)
                question->hashes[question->hashed] = policy_index_hash(
                        question->request->programs[question->hashed].path);
        return question->hashes[program];
}

/* A name that leads to the program's file, whatever it is called. */
static const PolicyBinary *find_identity(const PolicyNetwork *network,
        const PolicyIdentity *identities, const PolicyIdentity *identity) {
        if (identities == NULL || identity->inode == 0)
                return NULL;
        for (uint32_t i = 0; i < network->binary_count; i++)
                if (network->binaries[i].exact &&
                        same_identity(&identities[network->binaries[i].number], identity))
                        return &network->binaries[i];
        return NULL;
}

/* The nearest program, but none farther than `limit`, that the network names. */
static size_t match_program(Question *question, const PolicyNetwork *network, size_t limit,
        const PolicyBinary **ret_binary) {
        const PolicyRequest *request = question->request;

        for (size_t i = 0; i < request->program_count && i <= limit; i++) {
                const PolicyProgram *program = &request->programs[i];

                *ret_binary = policy_index_program(
                        question->index, network, program->path, hash_of(question, i));
                if (*ret_binary == NULL)
                        *ret_binary =
                                find_identity(network, request->identities, &program->identity);
                if (*ret_binary != NULL)
                        return i;
        }
        return NOBODY;
}

bool policy_port_guarded(uint16_t port) {
        for (size_t i = 0; i < sizeof(guarded_ports) / sizeof(*guarded_ports); i++)
                if (guarded_ports[i] == port)
                        return true;
        return false;
}

static PolicyReason judge_listed(const PolicyEndpoint *endpoint, const Question *question) {
        PolicyReason reason = POLICY_REASON_ADDRESS_LIST;

        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++) {
                const AddressRange *range = &endpoint->allowed_ips[i];

                if (!address_range_contains(range, question->address))
                        continue;
                if (address_range_is_single(range) || !policy_port_guarded(question->request->port))
                        return POLICY_REASON_ALLOWED;
                reason = POLICY_REASON_GUARDED_PORT;
        }
        return reason;
}

static PolicyReason judge_address(const PolicyEndpoint *endpoint, const Question *question) {
        if (question->address == NULL)
                return POLICY_REASON_ALLOWED;
        if (address_class_forbidden(question->class))
                return POLICY_REASON_ADDRESS_CLASS;
        if (endpoint->allowed_ip_count > 0)
                return judge_listed(endpoint, question);
        if (question->class == ADDRESS_PRIVATE && !endpoint->exact)
                return POLICY_REASON_ADDRESS_PRIVATE;
        return POLICY_REASON_ALLOWED;
}

static PolicyReason judge(const PolicyEndpoint *endpoint, const Question *question) {
        if (policy_uninspectable(endpoint) != NULL)
                return POLICY_REASON_UNINSPECTABLE;
        return judge_address(endpoint, question);
}

/* Of several misses the one is told that came closest; reasons are in this order. */
static void note_miss(Question *question, const PolicyDecision *miss) {
        if (question->denied.network == NULL || miss->reason > question->denied.reason)
                question->denied = *miss;
}

static void forget(Question *question) {
        question->allowed = (PolicyDecision){ 0 };
        question->unreadable = (PolicyDecision){ 0 };
        question->denied = (PolicyDecision){ 0 };
}

/* Exact names are preferred, because they are what an author wrote for this very host. */
static void keep(PolicyDecision *kept, const PolicyDecision *found) {
        if (kept->network == NULL || (found->endpoint->exact && !kept->endpoint->exact))
                *kept = *found;
}

/* The policy names none of the programs. A rule in audit mode lets them through, if nothing but the
 * program speaks against it. */
static void ask_unnamed(Question *question, PolicyDecision *found) {
        PolicyReason reason = found->endpoint->enforcement == POLICY_AUDIT
                                      ? judge(found->endpoint, question)
                                      : POLICY_REASON_BINARY;

        found->reason = POLICY_REASON_BINARY;
        found->program = 0;
        if (reason == POLICY_REASON_ALLOWED) {
                found->allowed = found->recorded = true;
                keep(&question->recorded, found);
                return;
        }
        if (reason != POLICY_REASON_UNINSPECTABLE)
                found->reason = reason;
        if (question->program == NOBODY)
                note_miss(question, found);
}

static void ask_entry(Question *question, const PolicyEntry *entry) {
        PolicyDecision found = {
                .network = entry->network,
                .endpoint = entry->endpoint,
                .check_hello = entry->endpoint->tls == POLICY_TLS_CHECK,
        };

        found.program =
                match_program(question, entry->network, question->program, &found.binary);
        if (found.program == NOBODY) {
                ask_unnamed(question, &found);
                return;
        }
        if (question->program == NOBODY || found.program < question->program)
                forget(question);
        question->program = found.program;

        found.reason = judge(entry->endpoint, question);
        found.allowed = found.reason == POLICY_REASON_ALLOWED;
        if (found.reason == POLICY_REASON_UNINSPECTABLE)
                question->unreadable = found;
        else if (!found.allowed)
                note_miss(question, &found);
        else
                keep(&question->allowed, &found);
}

static void visit(void *context, const PolicyEntry *any, const PolicyEntry *chain) {
        Question *question = context;

        if (chain == NULL && question->program == NOBODY) {
                const PolicyDecision other_port = {
                        .reason = POLICY_REASON_PORT,
                        .network = any->network,
                        .endpoint = any->endpoint,
                };

                note_miss(question, &other_port);
        }
        for (; chain != NULL; chain = chain->next)
                ask_entry(question, chain);
}

static PolicyDecision settle(const Question *question) {
        if (question->unreadable.network != NULL)
                return question->unreadable;
        if (question->allowed.network != NULL)
                return question->allowed;
        if (question->recorded.network != NULL && question->program == NOBODY)
                return question->recorded;
        if (question->denied.network != NULL)
                return question->denied;
        return (PolicyDecision){ .reason = POLICY_REASON_HOST };
}

static PolicyDecision decide_name(
        const Policy *policy, const PolicyRequest *request, const char *host) {
        Question question = { .request = request,
                .index = policy->index,
                .address = request->address,
                .program = NOBODY };
        PolicyDecision decision;

        if (request->address != NULL)
                question.class = address_class(request->address);
        policy_index_walk_name(policy->index, host, request->port, visit, &question);
        decision = settle(&question);
        decision.workload_loopback = decision.allowed && strcmp(host, "localhost") == 0;
        return decision;
}

/* A literal address is an address to check from the start; only what the policy lists as addresses
 * can match it. */
static PolicyDecision decide_address(
        const Policy *policy, const PolicyRequest *request, const char *host) {
        Address literal;
        Question question = { .request = request,
                .index = policy->index,
                .address = &literal,
                .program = NOBODY };

        (void)address_parse(host, &literal);
        if (request->address != NULL && !address_equal(request->address, &literal))
                return (PolicyDecision){ .reason = POLICY_REASON_BAD_HOST };
        question.class = address_class(&literal);
        if (address_class_forbidden(question.class))
                return (PolicyDecision){ .reason = POLICY_REASON_ADDRESS_CLASS };
        policy_index_walk_address(policy->index, host, request->port, visit, &question);
        policy_index_walk_hostless(policy->index, request->port, visit, &question);
        return settle(&question);
}

static PolicyDecision decide_one(
        const Policy *policy, const PolicyRequest *request, HostForm form, const char *host) {
        if (form == HOST_NAME)
                return decide_name(policy, request, host);
        if (form == HOST_ADDRESS)
                return decide_address(policy, request, host);
        return (PolicyDecision){ .reason = POLICY_REASON_BAD_HOST };
}

PolicyDecision policy_decide(const Policy *policy, const PolicyRequest *request) {
        char host[HOST_SIZE];
        HostForm form = host_parse(request->host, host);
        PolicyDecision decision = decide_one(policy, request, form, host);

        if (decision.allowed && policy->ceiling != NULL) {
                PolicyDecision bound = decide_one(policy->ceiling, request, form, host);

                if (!bound.allowed) {
                        bound.reason = POLICY_REASON_CEILING;
                        return bound;
                }
                decision.check_hello = decision.check_hello || bound.check_hello;
                if (bound.recorded && !decision.recorded) {
                        decision.recorded = true;
                        decision.reason = POLICY_REASON_CEILING;
                }
        }
        return decision;
}

/* ---- what the names server and the listeners ask ---- */

static void notice(void *context, const PolicyEntry *any, const PolicyEntry *chain) {
        *(bool *)context = true;
}

static bool knows(const Policy *policy, HostForm form, const char *host) {
        bool known = false;

        if (form == HOST_NAME)
                policy_index_walk_name(policy->index, host, 0, notice, &known);
        return known;
}

bool policy_knows_host(const Policy *policy, const char *host) {
        char normal[HOST_SIZE];
        HostForm form = host_parse(host, normal);

        return knows(policy, form, normal) &&
               (policy->ceiling == NULL || knows(policy->ceiling, form, normal));
}

static void mark_ports(const Policy *policy, uint8_t *marks, uint8_t mark) {
        for (uint32_t i = 0; i < policy->network_count; i++)
                for (uint32_t j = 0; j < policy->networks[i].endpoint_count; j++) {
                        const PolicyEndpoint *endpoint = &policy->networks[i].endpoints[j];

                        for (uint32_t k = 0; k < endpoint->port_count; k++)
                                marks[endpoint->ports[k]] |= mark;
                }
}

uint32_t policy_ports(const Policy *policy, uint16_t *ret_ports, uint32_t room) {
        uint8_t marks[UINT16_MAX + 1] = { 0 };
        uint8_t wanted = policy->ceiling != NULL ? 3 : 1;
        uint32_t count = 0;

        mark_ports(policy, marks, 1);
        if (policy->ceiling != NULL)
                mark_ports(policy->ceiling, marks, 2);
        for (uint32_t port = 1; port <= UINT16_MAX; port++)
                if (marks[port] == wanted) {
                        if (count < room)
                                ret_ports[count] = (uint16_t)port;
                        count++;
                }
        return count;
}

const char *policy_uninspectable(const PolicyEndpoint *endpoint) {
        return endpoint->protocol >= POLICY_PROTOCOL_REST
                       ? "its rules are about requests, and this build reads none"
                       : NULL;
}

/* ---- words ---- */

const char *policy_reason_name(PolicyReason reason) {
        static const char *const names[] = { NULL, "allowed", "bad_host", "no_host", "no_port",
                "no_binary", "not_inspectable", "address_class", "address_private",
                "address_not_listed", "guarded_port", "ceiling" };

        assert(reason >= POLICY_REASON_ALLOWED && reason <= POLICY_REASON_CEILING);
        return names[reason];
}

static const char *program_name(const PolicyDecision *decision, const PolicyRequest *request) {
        return request->program_count > 0 ? request->programs[decision->program].path
                                          : "an unknown program";
}

static const char *address_text(const PolicyRequest *request, char text[static ADDRESS_TEXT_SIZE]) {
        Address literal;

        text[0] = '\0';
        if (request->address != NULL)
                address_format(request->address, text);
        else if (address_parse(request->host, &literal))
                address_format(&literal, text);
        return text;
}

static const char *class_text(const PolicyRequest *request) {
        Address literal;

        if (request->address != NULL)
                return address_class_name(address_class(request->address));
        return address_parse(request->host, &literal) ? address_class_name(address_class(&literal))
                                                      : "forbidden";
}

void policy_decision_text(
        const PolicyDecision *decision, const PolicyRequest *request, char *ret_text, size_t room) {
        const char *policy = decision->network != NULL ? decision->network->name : "";
        const char *host = request->host, *program = program_name(decision, request);
        char address[ADDRESS_TEXT_SIZE];
        unsigned port = request->port;

        (void)address_text(request, address);
        if (decision->recorded) {
                (void)snprintf(ret_text, room,
                        "policy '%s' names %s:%u, but not '%s'; it is let through and recorded "
                        "(enforcement: audit)",
                        policy, host, port, program);
                return;
        }
        switch (decision->reason) {
        case POLICY_REASON_ALLOWED:
                (void)snprintf(ret_text, room, "policy '%s' allows %s:%u for '%s'", policy, host,
                        port, program);
                break;
        case POLICY_REASON_BAD_HOST:
                (void)snprintf(ret_text, room,
                        "'%s' is neither a host name nor an IP address in its plain form", host);
                break;
        case POLICY_REASON_HOST:
                (void)snprintf(ret_text, room, "no policy names the host '%s'", host);
                break;
        case POLICY_REASON_PORT:
                (void)snprintf(ret_text, room, "policy '%s' names '%s', but not port %u", policy,
                        host, port);
                break;
        case POLICY_REASON_BINARY:
                (void)snprintf(ret_text, room, "policy '%s' allows %s:%u, but not for '%s'", policy,
                        host, port, program);
                break;
        case POLICY_REASON_UNINSPECTABLE:
                (void)snprintf(ret_text, room,
                        "not inspectable: policy '%s' allows only some requests to %s:%u (protocol "
                        "%s), "
                        "and this build reads none",
                        policy, host, port, policy_protocol_name(decision->endpoint->protocol));
                break;
        case POLICY_REASON_ADDRESS_CLASS:
                (void)snprintf(ret_text, room,
                        "%s is %s: never connected to, whatever a policy says", address,
                        class_text(request));
                break;
        case POLICY_REASON_ADDRESS_PRIVATE:
                (void)snprintf(ret_text, room,
                        "'%s' has the private address %s, and policy '%s' names the host by a "
                        "pattern only; "
                        "name it exactly or list the address in allowed_ips",
                        host, address, policy);
                break;
        case POLICY_REASON_ADDRESS_LIST:
                (void)snprintf(ret_text, room,
                        "%s is outside the allowed_ips that policy '%s' gives for %s:%u", address,
                        policy, host[0] != '\0' ? host : "any host", port);
                break;
        case POLICY_REASON_GUARDED_PORT:
                (void)snprintf(ret_text, room,
                        "port %u of %s is a control plane's; policy '%s' would have to list the "
                        "address itself, "
                        "not a range",
                        port, address, policy);
                break;
        case POLICY_REASON_CEILING:
        default:
                (void)snprintf(ret_text, room, "the node's ceiling does not allow %s:%u for '%s'",
                        host, port, program);
                break;
        }
}
