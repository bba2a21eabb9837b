/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A mistake here may only err towards "not covered": then a review is asked for that was not
 * needed. So each function proves what it says from the texts of the patterns, and gives up where
 * it cannot.
 */
#include "policy/cover.h"

#include "base/path.h"
#include "policy/decide.h"
#include "policy/pattern.h"

#include <string.h>

/* ---- hosts, label by label from the right ---- */

typedef struct Label {
        const char *at;
        size_t size;
} Label;

static Label last_label(const char *host, size_t end) {
        const char *dot = memrchr(host, '.', end);
        const char *at = dot != NULL ? dot + 1 : host;

        return (Label){ .at = at, .size = (size_t)(host + end - at) };
}

/* Where the rest ends, in front of the label and its dot. */
static size_t before(const char *host, Label label) {
        return label.at > host ? (size_t)(label.at - host) - 1 : 0;
}

static bool label_is(Label label, const char *text) {
        return label.size == strlen(text) && memcmp(label.at, text, label.size) == 0;
}

static bool same_label(Label a, Label b) {
        return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

static bool has_star(Label label) {
        return memchr(label.at, '*', label.size) != NULL;
}

static bool matches_label(Label pattern, Label label) {
        char text[HOST_SIZE];

        memcpy(text, pattern.at, pattern.size);
        text[pattern.size] = '\0';
        return pattern_matches_label(text, label.at, label.size);
}

static bool label_covers(Label wide, Label narrow) {
        if (label_is(wide, "*") || same_label(wide, narrow))
                return true;
        return has_star(wide) && !has_star(narrow) && matches_label(wide, narrow);
}

static bool labels_meet(Label a, Label b) {
        if (has_star(a) && has_star(b))
                return true;
        if (has_star(a))
                return matches_label(a, b);
        return has_star(b) ? matches_label(b, a) : same_label(a, b);
}

bool cover_host(const char *wide, const char *narrow) {
        size_t wide_end = strlen(wide), narrow_end = strlen(narrow);

        while (wide_end > 0 && narrow_end > 0) {
                Label a = last_label(wide, wide_end), b = last_label(narrow, narrow_end);

                if (label_is(a, "**"))
                        return true;
                if (label_is(b, "**") || !label_covers(a, b))
                        return false;
                wide_end = before(wide, a);
                narrow_end = before(narrow, b);
        }
        return wide_end == 0 && narrow_end == 0;
}

static bool may_be_address(const char *host) {
        Address address;

        return host[0] == '\0' || address_parse(host, &address);
}

bool cover_hosts_meet(const char *a, const char *b) {
        size_t a_end = strlen(a), b_end = strlen(b);

        if (a_end == 0 || b_end == 0)
                return may_be_address(a) && may_be_address(b);
        while (a_end > 0 && b_end > 0) {
                Label x = last_label(a, a_end), y = last_label(b, b_end);

                if (label_is(x, "**") || label_is(y, "**"))
                        return true;
                if (!labels_meet(x, y))
                        return false;
                a_end = before(a, x);
                b_end = before(b, y);
        }
        return a_end == 0 && b_end == 0;
}

/* ---- programs ---- */

/* "/plain/" of "/plain/" followed by "**" and nothing else; 0 for another pattern. */
static size_t plain_tree(const char *pattern) {
        size_t size = strlen(pattern);

        return size >= 3 && strcmp(pattern + size - 3, "/**") == 0 &&
                               strcspn(pattern, "*") == size - 2
                       ? size - 2
                       : 0;
}

bool cover_program(const char *wide, const char *narrow) {
        size_t tree = plain_tree(wide);

        if (strcmp(wide, narrow) == 0)
                return true;
        if (!pattern_has_wildcard(narrow))
                return pattern_matches_path(wide, narrow);
        return tree > 0 && strncmp(wide, narrow, tree) == 0;
}

/* ---- addresses ---- */

/* A range does not reach a guarded port, an address that is listed itself does. */
static bool lists_range(const PolicyEndpoint *endpoint, const AddressRange *range, uint16_t port) {
        bool itself = address_range_is_single(range) && policy_port_guarded(port);

        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++)
                if (address_range_covers(&endpoint->allowed_ips[i], range) &&
                        (!itself || address_range_is_single(&endpoint->allowed_ips[i])))
                        return true;
        return false;
}

static bool covers_addresses(
        const PolicyEndpoint *wide, const PolicyEndpoint *narrow, uint16_t port) {
        if (wide->allowed_ip_count == 0 && wide->exact)
                return true; /* public and private */
        if (narrow->allowed_ip_count == 0)
                return wide->allowed_ip_count == 0 && !narrow->exact;
        for (uint32_t i = 0; i < narrow->allowed_ip_count; i++) {
                const AddressRange *range = &narrow->allowed_ips[i];
                bool is_public = address_range_is_single(range) &&
                                 address_class(&range->address) == ADDRESS_PUBLIC;

                if (wide->allowed_ip_count > 0 ? !lists_range(wide, range, port) : !is_public)
                        return false;
        }
        return true;
}

/* ---- requests ---- */

static bool same_query(const PolicyRule *a, const PolicyRule *b) {
        if (a->query_count != b->query_count)
                return false;
        for (uint32_t i = 0; i < a->query_count; i++) {
                const PolicyQuery *x = &a->query[i], *y = &b->query[i];

                if (strcmp(x->name, y->name) != 0 || x->value_count != y->value_count)
                        return false;
                for (uint32_t j = 0; j < x->value_count; j++)
                        if (strcmp(x->values[j], y->values[j]) != 0)
                                return false;
        }
        return true;
}

static bool has_rule(const PolicyRule *rules, uint32_t count, const PolicyRule *wanted) {
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(rules[i].method, wanted->method) == 0 &&
                        strcmp(rules[i].path, wanted->path) == 0 && same_query(&rules[i], wanted))
                        return true;
        return false;
}

static bool has_rules(
        const PolicyRule *rules, uint32_t count, const PolicyRule *wanted, uint32_t wanted_count) {
        for (uint32_t i = 0; i < wanted_count; i++)
                if (!has_rule(rules, count, &wanted[i]))
                        return false;
        return true;
}

static bool reads_requests(const PolicyEndpoint *endpoint) {
        return endpoint->protocol >= POLICY_PROTOCOL_REST;
}

static bool covers_allowed(const PolicyEndpoint *wide, const PolicyEndpoint *narrow) {
        if (wide->access == POLICY_PRESET_FULL)
                return true;
        if (wide->access != POLICY_PRESET_NONE)
                return narrow->access != POLICY_PRESET_NONE && narrow->access <= wide->access;
        return narrow->access == POLICY_PRESET_NONE &&
               has_rules(wide->rules, wide->rule_count, narrow->rules, narrow->rule_count);
}

bool cover_requests(const PolicyEndpoint *wide, const PolicyEndpoint *narrow) {
        if (!reads_requests(wide))
                return true;
        if (!reads_requests(narrow) || wide->protocol != narrow->protocol)
                return false;
        if (wide->path[0] != '\0' && strcmp(wide->path, narrow->path) != 0)
                return false;
        if (wide->enforcement == POLICY_ENFORCE && narrow->enforcement == POLICY_AUDIT)
                return false;
        return strcmp(wide->settings, narrow->settings) == 0 && covers_allowed(wide, narrow) &&
               has_rules(narrow->deny_rules, narrow->deny_rule_count, wide->deny_rules,
                       wide->deny_rule_count);
}

/* ---- the whole ---- */

static uint32_t count_binaries(const PolicyNetwork *network, const PolicyEndpoint *endpoint) {
        bool anybody = endpoint->enforcement == POLICY_AUDIT && !reads_requests(endpoint);

        return network->binary_count + anybody;
}

static const PolicyBinary *nth_binary(const PolicyNetwork *network, uint32_t number) {
        static const PolicyBinary anybody = { .path = "/**" };

        return number < network->binary_count ? &network->binaries[number] : &anybody;
}

/* An odometer: the binary turns fastest, and each wheel that is through turns the next one. */
bool cover_next_grant(GrantWalk *walk, CoverGrant *ret_grant) {
        const Policy *policy = walk->policy;

        while (walk->network < policy->network_count) {
                const PolicyNetwork *network = &policy->networks[walk->network];
                const PolicyEndpoint *endpoint = &network->endpoints[walk->endpoint];

                if (walk->endpoint == network->endpoint_count) {
                        walk->network++;
                        walk->endpoint = 0;
                } else if (walk->port == endpoint->port_count) {
                        walk->endpoint++;
                        walk->port = 0;
                } else if (walk->binary == count_binaries(network, endpoint)) {
                        walk->port++;
                        walk->binary = 0;
                } else {
                        *ret_grant = (CoverGrant){
                                .network = network,
                                .endpoint = endpoint,
                                .port = endpoint->ports[walk->port],
                                .binary = nth_binary(network, walk->binary++),
                        };
                        return true;
                }
        }
        return false;
}

bool cover_endpoint(const PolicyEndpoint *wide, const PolicyEndpoint *narrow, uint16_t port) {
        if (wide->tls == POLICY_TLS_CHECK && narrow->tls == POLICY_TLS_SKIP)
                return false;
        return covers_addresses(wide, narrow, port) && cover_requests(wide, narrow);
}

bool cover_grant(const CoverGrant *wide, const CoverGrant *narrow) {
        return wide->port == narrow->port &&
               cover_host(wide->endpoint->host, narrow->endpoint->host) &&
               cover_program(wide->binary->path, narrow->binary->path) &&
               cover_endpoint(wide->endpoint, narrow->endpoint, wide->port);
}

PolicyAccess cover_access(const PolicyPath *paths, uint32_t count, const char *path) {
        PolicyAccess access = 0;

        for (uint32_t i = 0; i < count; i++)
                if (paths[i].access > access && path_covers(paths[i].path, path))
                        access = paths[i].access;
        return access;
}
