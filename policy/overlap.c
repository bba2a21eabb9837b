/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Endpoints of several policies may meet on a host and port; then each program gets what its
 * policies say together. What they cannot say together is one thing and its opposite for the same
 * program: then the file is refused, rather than one of them winning.
 */
#include "policy/build.h"

#include "policy/pattern.h"

#include <stdlib.h>
#include <string.h>

/* Comparing costs the square of what meets on one host and port. A file that needs more than this
 * is nobody's. */
#define COMPARISONS_MAX 1000000U

typedef struct Meeting {
        const char *host;
        uint16_t port;
        const PolicyNetwork *network;
        const PolicyEndpoint *endpoint;
} Meeting;

static bool reads_requests(const PolicyEndpoint *endpoint) {
        return endpoint->protocol >= POLICY_PROTOCOL_REST;
}

/* What the two contradict each other in, or NULL. */
static const char *contradiction(const PolicyEndpoint *a, const PolicyEndpoint *b) {
        if (reads_requests(a) != reads_requests(b))
                return "protocol";
        if (a->tls != b->tls)
                return "tls";
        if (!reads_requests(a) || strcmp(a->path, b->path) != 0)
                return NULL; /* without inspection a union; with different paths each has its own
                                requests */
        if (a->protocol != b->protocol)
                return "protocol";
        return a->enforcement != b->enforcement ? "enforcement" : NULL;
}

static const PolicyBinary *common_binary(
        const PolicyNetwork *a, const PolicyNetwork *b, uint32_t *budget) {
        for (uint32_t i = 0; i < a->binary_count; i++)
                for (uint32_t j = 0; j < b->binary_count; j++) {
                        if (*budget == 0)
                                return NULL;
                        (*budget)--;
                        if (pattern_may_overlap(a->binaries[i].path, b->binaries[j].path))
                                return a->binaries[i].exact ? &a->binaries[i] : &b->binaries[j];
                }
        return NULL;
}

static int compare_pair(
        Build *build, const Meeting *first, const Meeting *second, uint32_t *budget) {
        const char *what = contradiction(first->endpoint, second->endpoint);
        const PolicyBinary *binary;

        if (*budget > 0)
                (*budget)--;
        if (what == NULL)
                return 0;
        binary = common_binary(first->network, second->network, budget);
        if (binary == NULL)
                return 0;
        return build_error(build, second->endpoint->position,
                "network policies '%s' (line %u) and '%s' contradict each other in %s of %s:%u for "
                "'%s'",
                first->network->key, first->endpoint->position.line, second->network->key, what,
                second->host[0] != '\0' ? second->host : "any host", second->port, binary->path);
}

static int compare_meetings(const void *a, const void *b) {
        const Meeting *left = a, *right = b;
        int order = strcmp(left->host, right->host);

        if (order != 0)
                return order;
        if (left->port != right->port)
                return left->port < right->port ? -1 : 1;
        return left->endpoint->position.line < right->endpoint->position.line
                       ? -1
                       : left->endpoint->position.line > right->endpoint->position.line;
}

static int compare_group(Build *build, const Meeting *group, uint32_t count, uint32_t *budget) {
        for (uint32_t i = 0; i < count; i++)
                for (uint32_t j = i + 1; j < count; j++) {
                        if (compare_pair(build, &group[i], &group[j], budget) < 0)
                                return -1;
                        if (*budget == 0)
                                return build_error(build, group[j].endpoint->position,
                                        "too many rules meet on %s:%u", group[j].host,
                                        group[j].port);
                }
        return 0;
}

static uint32_t count_meetings(const PolicyNetwork *networks, uint32_t count) {
        uint32_t total = 0;

        for (uint32_t i = 0; i < count; i++)
                for (uint32_t j = 0; j < networks[i].endpoint_count; j++)
                        total += networks[i].endpoints[j].port_count;
        return total;
}

static void fill(Meeting *meetings, const PolicyNetwork *network) {
        for (uint32_t j = 0, at = 0; j < network->endpoint_count; j++)
                for (uint32_t k = 0; k < network->endpoints[j].port_count; k++)
                        meetings[at++] = (Meeting){ .host = network->endpoints[j].host,
                                .port = network->endpoints[j].ports[k],
                                .network = network,
                                .endpoint = &network->endpoints[j] };
}

int build_check_overlaps(Build *build, const PolicyNetwork *networks, uint32_t count) {
        uint32_t total = count_meetings(networks, count), used = 0, budget = COMPARISONS_MAX;
        cleanup_free Meeting *meetings = calloc((size_t)total + 1, sizeof(*meetings));
        int r = 0;

        if (meetings == NULL)
                return build_no_memory(build);
        for (uint32_t i = 0; i < count; i++) {
                fill(meetings + used, &networks[i]);
                used += count_meetings(&networks[i], 1);
        }
        qsort(meetings, total, sizeof(*meetings), compare_meetings);
        for (uint32_t start = 0, end = 0; start < total && budget > 0; start = end) {
                while (end < total && meetings[end].port == meetings[start].port &&
                        strcmp(meetings[end].host, meetings[start].host) == 0)
                        end++;
                r |= compare_group(build, meetings + start, end - start, &budget);
        }
        return r;
}
