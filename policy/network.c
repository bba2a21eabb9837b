/* SPDX-License-Identifier: Apache-2.0 */

/*
 * network_policies: hosts, ports, addresses, programs. What can be seen of one endpoint alone is
 * checked here, its keys about requests in requests.c, and what several say together in overlap.c.
 *
 * An endpoint that was wrong is not kept, so the checks that follow see only whole ones.
 */
#include "policy/build.h"

#include "base/path.h"
#include "policy/decide.h"
#include "policy/pattern.h"
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

#define RANGE_WARNED_V4 16U /* a prefix shorter than this is more than a site's own network */
#define RANGE_WARNED_V6 32U

/* ---- host ---- */

static int refuse_host(Build *build, const char *network, const Node *node, HostForm form) {
        char value[DIAGNOSTIC_VALUE_MAX];

        (void)diagnostic_value(node->text, value);
        switch (form) {
        case HOST_BARE:
                return build_error(build, node->position,
                        "network policy '%s': host wildcard '%s' matches all hosts; use specific "
                        "patterns like '*.example.com'",
                        network, value);
        case HOST_TLD:
                return build_error(build, node->position,
                        "network policy '%s': TLD wildcard '%s' is not allowed; use subdomain "
                        "wildcards like '*.example.com' instead",
                        network, value);
        case HOST_DEEP_PLACE:
                return build_error(build, node->position,
                        "network policy '%s': recursive host wildcard '**' is only allowed as the "
                        "entire first label, got '%s'",
                        network, value);
        case HOST_PARTIAL_PLACE:
                return build_error(build, node->position,
                        "network policy '%s': a host wildcard behind the first label must be the "
                        "entire label '*', got '%s'",
                        network, value);
        case HOST_NUMBERS:
                return build_error(build, node->position,
                        "network policy '%s': host '%s' ends in a number but is not an IP address "
                        "in "
                        "its plain form",
                        network, value);
        case HOST_TOO_LONG:
                return build_error(build, node->position,
                        "network policy '%s': host '%s' is longer than a DNS name may be", network,
                        value);
        case HOST_CHARACTER:
                return build_error(build, node->position,
                        "network policy '%s': host '%s' has a character that host names do not "
                        "have; "
                        "no scheme, port or path, and international names in their xn-- form",
                        network, value);
        case HOST_NAME:
        case HOST_ADDRESS:
        case HOST_PATTERN:
        case HOST_EMPTY:
        case HOST_LABEL:
        default:
                return build_error(build, node->position,
                        "network policy '%s': host '%s' has an empty label or one that begins or "
                        "ends "
                        "with '-'",
                        network, value);
        }
}

static void warn_literal(Build *build, const char *network, const Node *node, const char *host) {
        AddressClass class;
        Address address;

        if (!address_parse(host, &address))
                return;
        class = address_class(&address);
        if (address_class_forbidden(class))
                build_find(build, POLICY_FINDING_WARNING, node->position,
                        "network policy '%s': %s is %s and never connected to, "
                        "whatever a policy says",
                        network, host, address_class_name(class));
}

static int build_host(Build *build, const char *network, const DraftEndpoint *draft,
        PolicyPosition position, PolicyEndpoint *endpoint) {
        char host[HOST_SIZE];
        HostForm form;

        if (draft->host == NULL || draft->host->text[0] == '\0') {
                endpoint->host = "";
                if (draft->allowed_ips != NULL && draft->allowed_ips->count > 0)
                        return 0;
                return build_error(build, draft->host != NULL ? draft->host->position : position,
                        "network policy '%s': endpoint host must not be empty unless allowed_ips "
                        "is given",
                        network);
        }
        form = host_parse(draft->host->text, host);
        if (form > HOST_PATTERN)
                return refuse_host(build, network, draft->host, form);
        if (form == HOST_ADDRESS)
                warn_literal(build, network, draft->host, host);
        endpoint->exact = form != HOST_PATTERN;
        endpoint->host = arena_text(build->arena, host, strlen(host));
        return endpoint->host != NULL ? 0 : build_no_memory(build);
}

/* ---- ports ---- */

static int compare_ports(const void *a, const void *b) {
        return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static int build_ports(Build *build, const char *network, const DraftEndpoint *draft,
        PolicyPosition position, PolicyEndpoint *endpoint) {
        uint32_t room = draft->ports != NULL ? draft->ports->count : 1, count = 0, kept = 0;
        uint16_t *ports = arena_array(build->arena, room, sizeof(*ports));

        if (ports == NULL)
                return build_no_memory(build);
        if (draft->port != NULL && draft->ports != NULL)
                return build_error(build, draft->ports->position,
                        "network policy '%s': port and ports are mutually exclusive; use ports for "
                        "multiple ports",
                        network);
        if (draft->port != NULL)
                ports[count++] = (uint16_t)draft->port->value;
        for (const Node *item = draft->ports != NULL ? draft->ports->first : NULL; item != NULL;
                item = item->next)
                ports[count++] = (uint16_t)item->value;
        if (count == 0)
                return build_error(build, draft->ports != NULL ? draft->ports->position : position,
                        "network policy '%s': endpoint '%s' must declare at least one port",
                        network, endpoint->host);
        qsort(ports, count, sizeof(*ports), compare_ports);
        for (uint32_t i = 0; i < count; i++)
                if (kept == 0 || ports[kept - 1] != ports[i])
                        ports[kept++] = ports[i];
        endpoint->ports = ports;
        endpoint->port_count = kept;
        return 0;
}

/* ---- allowed_ips ---- */

static int build_range(
        Build *build, const char *network, const Node *node, AddressRange *ret_range) {
        char value[DIAGNOSTIC_VALUE_MAX], text[ADDRESS_TEXT_SIZE + 4];
        AddressClass forbidden;
        bool host_bits;

        (void)diagnostic_value(node->text, value);
        if (!address_range_parse(node->text, ret_range, &host_bits))
                return build_error(build, node->position,
                        "network policy '%s': '%s' is not an IP address or CIDR range", network,
                        value);
        forbidden = address_range_forbidden(ret_range);
        if (forbidden != 0)
                return build_error(build, node->position,
                        "network policy '%s': allowed_ips '%s' has %s addresses, which are never "
                        "connected "
                        "to",
                        network, value, address_class_name(forbidden));
        address_range_format(ret_range, text, sizeof(text));
        if (host_bits)
                build_find(build, POLICY_FINDING_WARNING, node->position,
                        "network policy '%s': '%s' means the whole of %s", network, value, text);
        if (ret_range->prefix <
                (ret_range->address.family == 4 ? RANGE_WARNED_V4 : RANGE_WARNED_V6))
                build_find(build, POLICY_FINDING_WARNING, node->position,
                        "network policy '%s': allowed_ips '%s' is a very wide range", network,
                        value);
        return 0;
}

static int compare_ranges(const void *a, const void *b) {
        const AddressRange *left = a, *right = b;

        if (left->address.family != right->address.family)
                return left->address.family < right->address.family ? -1 : 1;
        if (left->prefix != right->prefix)
                return left->prefix < right->prefix ? -1 : 1;
        return memcmp(left->address.bytes, right->address.bytes, sizeof(left->address.bytes));
}

/* A literal host has to be one of the addresses that are allowed, else nothing ever is. */
static int check_literal_listed(
        Build *build, const char *network, const Node *list, const PolicyEndpoint *endpoint) {
        Address literal;

        if (!endpoint->exact || !address_parse(endpoint->host, &literal))
                return 0;
        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++)
                if (address_range_contains(&endpoint->allowed_ips[i], &literal))
                        return 0;
        return build_error(build, list->position,
                "network policy '%s': allowed_ips does not contain the host %s itself", network,
                endpoint->host);
}

static int build_ranges(
        Build *build, const char *network, const Node *list, PolicyEndpoint *endpoint) {
        AddressRange *ranges;
        uint32_t count = 0;
        int r = 0;

        if (list == NULL || list->count == 0)
                return 0;
        if (strcmp(endpoint->host, "localhost") == 0)
                return build_error(build, list->position,
                        "network policy '%s': localhost is the workload's own loopback and has no "
                        "other "
                        "addresses",
                        network);
        ranges = arena_array(build->arena, list->count, sizeof(*ranges));
        if (ranges == NULL)
                return build_no_memory(build);
        for (const Node *item = list->first; item != NULL; item = item->next)
                if (build_range(build, network, item, &ranges[count]) < 0)
                        r = -1;
                else
                        count++;
        if (count > 0)
                qsort(ranges, count, sizeof(*ranges), compare_ranges);
        endpoint->allowed_ips = ranges;
        endpoint->allowed_ip_count = count;
        return r < 0 ? r : check_literal_listed(build, network, list, endpoint);
}

/* ---- endpoints ---- */

static void build_tls(
        Build *build, const char *network, const Node *node, PolicyEndpoint *endpoint) {
        endpoint->tls = POLICY_TLS_CHECK;
        if (node == NULL || node->value < POLICY_TLS_SKIP)
                return;
        if (node->value == POLICY_TLS_SKIP)
                endpoint->tls = POLICY_TLS_SKIP;
        else
                build_find(build, POLICY_FINDING_UNENFORCED, node->position,
                        "network policy '%s': 'tls: %s' is accepted and has no effect", network,
                        node->text);
}

static int build_endpoint(
        Build *build, const char *network, const Node *map, PolicyEndpoint *endpoint) {
        DraftEndpoint draft;
        int r = read_section(map, &keys_endpoint, &draft, build->diagnostics);

        /* a value of the wrong type was reported as that; that it is missing too would be noise */
        if (r < 0)
                return -1;
        *endpoint = (PolicyEndpoint){ .position = map->position };
        r |= build_host(build, network, &draft, map->position, endpoint);
        if (endpoint->host == NULL)
                return -1;
        r |= build_ports(build, network, &draft, map->position, endpoint);
        r |= build_ranges(build, network, draft.allowed_ips, endpoint);
        build_tls(build, network, draft.tls, endpoint);
        r |= build_requests(build, network, &draft, endpoint);
        build_report_accepted(build, &keys_endpoint, &draft);
        return r;
}

static int compare_endpoints(const void *a, const void *b) {
        const PolicyEndpoint *left = a, *right = b;
        int order = strcmp(left->host, right->host);

        if (order != 0)
                return order;
        if (left->ports[0] != right->ports[0])
                return left->ports[0] < right->ports[0] ? -1 : 1;
        return position_compare(left->position, right->position);
}

static int build_endpoints(Build *build, const Node *list, PolicyNetwork *network) {
        uint32_t room = list != NULL ? list->count : 0, count = 0;
        PolicyEndpoint *endpoints = arena_array(build->arena, room, sizeof(*endpoints));
        int r = 0;

        if (endpoints == NULL)
                return build_no_memory(build);
        for (const Node *item = list != NULL ? list->first : NULL; item != NULL; item = item->next)
                if (build_endpoint(build, network->key, item, &endpoints[count]) < 0)
                        r = -1;
                else
                        count++;
        if (count > 0)
                qsort(endpoints, count, sizeof(*endpoints), compare_endpoints);
        network->endpoints = endpoints;
        network->endpoint_count = count;
        return r;
}

/* ---- policies ---- */

static int build_name(Build *build, const Node *node, PolicyNetwork *network) {
        network->name = network->key;
        if (node == NULL || node->text[0] == '\0')
                return 0;
        if (strlen(node->text) > NAME_SIZE_MAX)
                return build_error(build, node->position,
                        "network policy '%s': name is longer than %u bytes", network->key,
                        NAME_SIZE_MAX);
        network->name = build_text(build, node);
        return network->name != NULL ? 0 : -1;
}

static int build_network(Build *build, const Node *key, const Node *map, PolicyNetwork *network) {
        DraftNetwork draft;
        int r;

        *network = (PolicyNetwork){ .key = build_text(build, key), .position = key->position };
        if (network->key == NULL)
                return -1;
        if (map->kind != NODE_MAP)
                return build_error(build, map->position,
                        "network policy '%s' must be a map with endpoints and binaries",
                        network->key);
        r = read_section(map, &keys_network, &draft, build->diagnostics);
        r |= build_name(build, draft.name, network);
        r |= build_endpoints(build, draft.endpoints, network);
        r |= build_binaries(build, draft.binaries, network);
        return r;
}

static int compare_networks(const void *a, const void *b) {
        return strcmp(((const PolicyNetwork *)a)->key, ((const PolicyNetwork *)b)->key);
}

/* Order has no meaning in the file, so the model has one of its own: equal policies are equal
 * records. */
static void number_binaries(PolicyNetwork *networks, uint32_t count, uint32_t *ret_total) {
        uint32_t total = 0;

        for (uint32_t i = 0; i < count; i++) {
                PolicyBinary *binaries = (PolicyBinary *)(uintptr_t)networks[i].binaries;

                for (uint32_t j = 0; j < networks[i].binary_count; j++)
                        binaries[j].number = total++;
        }
        *ret_total = total;
}

int build_networks(Build *build, const Node *map) {
        PolicyNetwork *networks = arena_array(build->arena, map->count, sizeof(*networks));
        uint32_t count = 0;
        int r;

        if (networks == NULL)
                return build_no_memory(build);
        r = read_names(build->arena, map, build->diagnostics);
        for (const Node *key = map->first; key != NULL; key = key->next->next)
                if (build_network(build, key, key->next, &networks[count]) < 0)
                        r = -1;
                else
                        count++;
        if (count > 0)
                qsort(networks, count, sizeof(*networks), compare_networks);
        r |= build_check_overlaps(build, networks, count);
        number_binaries(networks, count, &build->policy->binary_count);
        build->policy->networks = networks;
        build->policy->network_count = count;
        return r;
}
