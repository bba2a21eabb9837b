/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two questions about each endpoint, port and program.
 *
 * What does it open? A grant of one policy is covered when an endpoint of the other, for the same
 * host, port and program, allows no less. Which network policy of the file it stands in does not
 * matter. Candidates come from the other policy's index.
 *
 * What did it hold back? The nearest program that a rule names decides, and an endpoint whose
 * requests cannot be read denies whatever others say. So a rule that goes may open something: what
 * a rule for the shell, or a pattern of hosts, allows applies from then on.
 *
 * All on the safe side: what is not found to be covered counts as opened, also when two files are
 * too large to be compared in full.
 */
#include "policy/comparison.h"

#include "base/cleanup.h"
#include "policy/cover.h"
#include "policy/index.h"
#include "policy/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps of a few nanoseconds: at most a few seconds in all. */
#define BUDGET 50000000

/* The networks of one policy that speak for an endpoint and port of the other. */
typedef struct Speakers {
        const PolicyNetwork **networks; /* owned */
        size_t count, room;
        bool anybody; /* one in audit mode: for all programs that no rule names */
        bool failed;
} Speakers;

typedef bool Judge(const PolicyEndpoint *other, const PolicyEndpoint *endpoint, uint16_t port);

typedef struct Search {
        Judge *judge;
        const PolicyEndpoint *endpoint;
        uint16_t port;
        Speakers *speakers;
        int64_t *budget;
} Search;

typedef struct Side {
        Comparison *comparison;
        ChangeKind kind;
        const Policy *other, *policy; /* the grants of policy are looked for in other */
        Speakers now, before;         /* of this port and of the one before */
        Speakers probe;
        bool *covered; /* owned; by number of the binary within its network, for `now` */
        uint32_t uncovered;
        int64_t budget;
} Side;

static void side_donep(Side *side) {
        free(side->now.networks);
        free(side->before.networks);
        free(side->probe.networks);
        free(side->covered);
}

static uint32_t most_binaries(const Policy *policy) {
        uint32_t most = 0;

        for (uint32_t i = 0; i < policy->network_count; i++)
                if (policy->networks[i].binary_count > most)
                        most = policy->networks[i].binary_count;
        return most;
}

static int side_begin(Side *side, Error *error) {
        size_t room = (size_t)most_binaries(side->policy) + most_binaries(side->other) + 1;

        side->budget = BUDGET;
        side->covered = calloc(room, sizeof(*side->covered));
        return side->covered != NULL
                       ? 0
                       : error_set(error, ERROR_OS, ENOMEM, "no room for a comparison");
}

/* ---- programs ---- */

static int compare_binary(const void *path, const void *binary) {
        return strcmp(path, ((const PolicyBinary *)binary)->path);
}

static bool names_program(const PolicyNetwork *network, const char *path, int64_t *budget) {
        if (network->binary_count == 0)
                return false;
        *budget -= 10;
        if (bsearch(path, network->binaries, network->binary_count, sizeof(*network->binaries),
                    compare_binary) != NULL)
                return true;
        *budget -= network->binary_count;
        for (uint32_t i = 0; i < network->binary_count && *budget > 0; i++)
                if (!network->binaries[i].exact && cover_program(network->binaries[i].path, path))
                        return true;
        return false;
}

static bool name_program(const Speakers *speakers, const char *path, int64_t *budget) {
        for (size_t i = 0; i < speakers->count; i++)
                if (names_program(speakers->networks[i], path, budget))
                        return true;
        return false;
}

/* ---- endpoints ---- */

static bool reads_requests(const PolicyEndpoint *endpoint) {
        return endpoint->protocol >= POLICY_PROTOCOL_REST;
}

static bool is_open_to_anybody(const PolicyEndpoint *endpoint) {
        return endpoint->enforcement == POLICY_AUDIT && !reads_requests(endpoint);
}

static void speakers_add(Speakers *speakers, const PolicyNetwork *network) {
        const PolicyNetwork **more;

        if (speakers->count > 0 && speakers->networks[speakers->count - 1] == network)
                return;
        if (speakers->count == speakers->room) {
                size_t room = speakers->room * 2 + 16;

                more = reallocarray(speakers->networks, room, sizeof(*more));
                speakers->failed = speakers->failed || more == NULL;
                if (more == NULL)
                        return; /* unheard: on the safe side */
                speakers->networks = more;
                speakers->room = room;
        }
        speakers->networks[speakers->count++] = network;
}

static void hear(void *context, const PolicyEntry *any, const PolicyEntry *chain) {
        const Search *search = context;

        for (; chain != NULL && *search->budget > 0; chain = chain->next) {
                const PolicyEndpoint *other = chain->endpoint;

                *search->budget -= 10 + (int64_t)other->rule_count * search->endpoint->rule_count +
                                   (int64_t)other->deny_rule_count *
                                           search->endpoint->deny_rule_count +
                                   (int64_t)other->allowed_ip_count *
                                           search->endpoint->allowed_ip_count;
                if (!cover_host(other->host, search->endpoint->host) ||
                        !search->judge(other, search->endpoint, search->port))
                        continue;
                speakers_add(search->speakers, chain->network);
                search->speakers->anybody = search->speakers->anybody || is_open_to_anybody(other);
        }
}

/* A pattern is looked up like a name: its '*' is a character that only wildcards match. */
static void find_speakers(const Policy *policy, Judge *judge, const PolicyEndpoint *endpoint,
        uint16_t port, Speakers *speakers, int64_t *budget) {
        Search search = { .judge = judge,
                .endpoint = endpoint,
                .port = port,
                .speakers = speakers,
                .budget = budget };
        Address address;

        speakers->count = 0;
        speakers->anybody = false;
        *budget -= 100;
        if (endpoint->host[0] == '\0')
                policy_index_walk_hostless(policy->index, port, hear, &search);
        else if (endpoint->exact && address_parse(endpoint->host, &address))
                policy_index_walk_address(policy->index, endpoint->host, port, hear, &search);
        else
                policy_index_walk_name(policy->index, endpoint->host, port, hear, &search);
}

/* ---- what is opened ---- */

static const char *settings_of(const PolicyEndpoint *endpoint, char *buffer, size_t room) {
        (void)snprintf(buffer, room, "%s%s%s%s%s%s",
                reads_requests(endpoint) ? ", protocol " : "",
                reads_requests(endpoint) ? policy_protocol_name(endpoint->protocol) : "",
                endpoint->access != POLICY_PRESET_NONE ? " " : "",
                policy_preset_name(endpoint->access),
                endpoint->tls == POLICY_TLS_SKIP ? ", tls skip" : "",
                endpoint->allowed_ip_count > 0 ? ", allowed_ips" : "");
        return buffer;
}

static void say_grant(Side *side, const PolicyNetwork *network, const PolicyEndpoint *endpoint,
        uint16_t port, const char *program) {
        char settings[96];

        comparison_add(side->comparison, side->kind, endpoint->position,
                "%s %s:%u for '%s' (policy '%s'%s)",
                side->kind == CHANGE_WIDER ? "opens" : "closes",
                endpoint->host[0] != '\0' ? endpoint->host : "allowed_ips", port, program,
                network->key, settings_of(endpoint, settings, sizeof(settings)));
}

static bool same_speakers(const Speakers *a, const Speakers *b) {
        return a->anybody == b->anybody && a->count == b->count &&
               (a->count == 0 ||
                       memcmp(a->networks, b->networks, a->count * sizeof(*a->networks)) == 0);
}

/* Not by audit mode: a program that some rule names is not let through by that. */
static void mark_covered(Side *side, const PolicyNetwork *network) {
        side->uncovered = 0;
        for (uint32_t i = 0; i < network->binary_count; i++) {
                side->covered[i] =
                        name_program(&side->now, network->binaries[i].path, &side->budget);
                side->uncovered += !side->covered[i];
        }
}

/* Finds who speaks in `policy` for the numbered port of an endpoint of the other, and for which of
 * its programs. Mostly it is the same for all ports of an endpoint. */
static void look_up(Side *side, const Policy *policy, Judge *judge, const PolicyNetwork *network,
        const PolicyEndpoint *endpoint, uint32_t number) {
        Speakers swapped = side->before;

        side->before = side->now;
        side->now = swapped;
        find_speakers(policy, judge, endpoint, endpoint->ports[number], &side->now, &side->budget);
        if (number == 0 || !same_speakers(&side->now, &side->before))
                mark_covered(side, network);
}

static void compare_port(
        Side *side, const PolicyNetwork *network, const PolicyEndpoint *endpoint, uint32_t number) {
        uint16_t port = endpoint->ports[number];

        look_up(side, side->other, cover_endpoint, network, endpoint, number);
        if (!comparison_lists(side->comparison, side->kind))
                comparison_count(side->comparison, side->kind, side->uncovered);
        else if (side->uncovered > 0)
                for (uint32_t i = 0; i < network->binary_count; i++)
                        if (!side->covered[i])
                                say_grant(side, network, endpoint, port,
                                        network->binaries[i].path);
        if (is_open_to_anybody(endpoint) && !side->now.anybody &&
                !name_program(&side->now, "/**", &side->budget))
                say_grant(side, network, endpoint, port, "/**");
}

static void compare_grants(Side *side) {
        for (uint32_t i = 0; i < side->policy->network_count; i++) {
                const PolicyNetwork *network = &side->policy->networks[i];

                for (uint32_t j = 0; j < network->endpoint_count; j++)
                        for (uint32_t k = 0; k < network->endpoints[j].port_count; k++)
                                compare_port(side, network, &network->endpoints[j], k);
        }
}

/* ---- what is no longer held back ---- */

static bool holds_as_much(
        const PolicyEndpoint *other, const PolicyEndpoint *endpoint, uint16_t port) {
        return !reads_requests(endpoint) ||
               (reads_requests(other) && cover_requests(endpoint, other));
}

static int compare_port_numbers(const void *a, const void *b) {
        return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static bool has_port(const PolicyEndpoint *endpoint, uint16_t port) {
        return bsearch(&port, endpoint->ports, endpoint->port_count, sizeof(port),
                       compare_port_numbers) != NULL;
}

/* A program that an old endpoint spoke for, and no new one does. */
typedef struct Release {
        const PolicyNetwork *network;
        const PolicyEndpoint *endpoint;
        uint16_t port;
        const char *program;
} Release;

/* That the new endpoint gives the released program something is not said elsewhere. */
static bool is_unsaid(Side *side, const Release *release, const PolicyNetwork *network,
        const PolicyEndpoint *endpoint) {
        bool named = names_program(network, release->program, &side->budget), had;

        find_speakers(side->other, cover_endpoint, endpoint, release->port, &side->probe,
                &side->budget);
        had = name_program(&side->probe, release->program, &side->budget);
        if (reads_requests(release->endpoint))
                return !named || had; /* named, and new: it is in the list of what is opened */
        return !named && !had;
}

static bool gives_more(
        Side *side, const Release *release, const PolicyEndpoint *endpoint) {
        side->budget -= 20;
        return has_port(endpoint, release->port) &&
               cover_hosts_meet(endpoint->host, release->endpoint->host) &&
               !cover_endpoint(release->endpoint, endpoint, release->port);
}

static void say_release(Side *side, const Release *release) {
        for (uint32_t i = 0; i < side->policy->network_count; i++) {
                const PolicyNetwork *network = &side->policy->networks[i];

                for (uint32_t j = 0; j < network->endpoint_count && side->budget > 0; j++) {
                        const PolicyEndpoint *endpoint = &network->endpoints[j];

                        if (!gives_more(side, release, endpoint) ||
                                !is_unsaid(side, release, network, endpoint))
                                continue;
                        comparison_add(side->comparison, CHANGE_WIDER, endpoint->position,
                                "opens %s:%u for '%s', also by what started it (policy '%s'): "
                                "policy '%s' no longer holds it back",
                                endpoint->host[0] != '\0' ? endpoint->host : "allowed_ips",
                                release->port, release->program, network->key,
                                release->network->key);
                        return;
                }
        }
}

static void find_releases(
        Side *side, const PolicyNetwork *network, const PolicyEndpoint *endpoint, uint32_t number) {
        look_up(side, side->policy, holds_as_much, network, endpoint, number);
        if (side->uncovered == 0)
                return;
        for (uint32_t i = 0; i < network->binary_count && side->budget > 0; i++) {
                const Release release = {
                        network, endpoint, endpoint->ports[number], network->binaries[i].path
                };

                if (!side->covered[i])
                        say_release(side, &release);
        }
}

/* The other way round: endpoints of the old policy are looked for in the new one. */
static void compare_holds(Side *side) {
        for (uint32_t i = 0; i < side->other->network_count; i++) {
                const PolicyNetwork *network = &side->other->networks[i];

                for (uint32_t j = 0; j < network->endpoint_count; j++)
                        for (uint32_t k = 0; k < network->endpoints[j].port_count; k++)
                                find_releases(side, network, &network->endpoints[j], k);
        }
}

int comparison_of_networks(
        Comparison *comparison, const Policy *old, const Policy *new, Error *error) {
        cleanup(side_donep) Side wider = {
                .comparison = comparison, .kind = CHANGE_WIDER, .other = old, .policy = new
        };
        cleanup(side_donep) Side narrower = {
                .comparison = comparison, .kind = CHANGE_NARROWER, .other = new, .policy = old
        };

        if (side_begin(&wider, error) < 0 || side_begin(&narrower, error) < 0)
                return -1;
        compare_grants(&wider);
        compare_holds(&wider);
        compare_grants(&narrower);
        if (wider.budget <= 0 || narrower.budget <= 0)
                comparison_add(comparison, CHANGE_WIDER, (PolicyPosition){ 0 },
                        "the policies are too large to be compared in full: what was not looked "
                        "at counts as opened");
        return 0;
}
