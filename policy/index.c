/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Everything is counted first and allocated once, so that the index of a policy is a handful of
 * arrays. Tables are open addressed, at most half full. A hash needs no secret: the author of a
 * policy can only slow down their own sandbox, by no more than the policy's size.
 */
#include "policy/index.h"

#include "base/arena.h"
#include "policy/pattern.h"

#include <string.h>

typedef uint32_t Terminal; /* 0: none */

#define TERMINAL_HOSTLESS 1U
#define NODE_NAMES 1U /* roots; 0 is no node */
#define NODE_ADDRESSES 2U

typedef struct Glob Glob;
struct Glob { /* a first label such as "*-api" */
        const char *pattern;
        Terminal terminal;
        const Glob *next;
};

typedef struct Node {
        const char *
                label; /* of the edge that leads here; in a host's text, so it ends at '.' or NUL */
        uint32_t parent;
        uint32_t star;  /* the child for a label that is "*" */
        Terminal exact; /* patterns that end here */
        Terminal deep;  /* patterns that go on with "**" */
        const Glob *globs;
} Node;

typedef struct PortChain {
        Terminal terminal; /* 0: free */
        uint16_t port;
        const PolicyEntry *first;
} PortChain;

typedef struct ProgramSlot {
        const PolicyNetwork *network; /* NULL: free */
        const PolicyBinary *binary;   /* exact */
} ProgramSlot;

typedef struct Patterns { /* of one network */
        const PolicyBinary **items;
        uint32_t count;
} Patterns;

struct PolicyIndex {
        Node *nodes;
        uint32_t *edges; /* numbers of nodes, by hash of parent and label; 0: free */
        PortChain *chains;
        const PolicyEntry **any; /* by terminal */
        ProgramSlot *programs;
        uint64_t *marks; /* a bit for each hash of a program: most paths are in no policy */
        Patterns *patterns; /* by network */
        const PolicyNetwork *networks;
        uint32_t edge_mask, chain_mask, program_mask;
        uint32_t node_count, terminal_count;
};

typedef struct Builder {
        Arena *arena;
        PolicyIndex *index;
        bool failed;
} Builder;

/* ---- hashing ---- */

static uint32_t mix(uint64_t value) {
        value ^= value >> 32;
        value *= 0x9e3779b97f4a7c15U; /* 2^64 over the golden ratio: spreads neighbours */
        return (uint32_t)(value >> 32);
}

static uint32_t hash_edge(uint32_t parent, const char *label, size_t size) {
        uint64_t hash = 0xcbf29ce484222325U ^ parent; /* FNV-1a */

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ (unsigned char)label[i]) * 0x100000001b3U;
        return mix(hash);
}

static uint32_t hash_program(uint32_t hash, size_t network) {
        return mix((uint64_t)network << 32 | hash);
}

/* By words: a decision hashes the paths of all ancestors. */
uint32_t policy_index_hash(const char *path) {
        size_t left = strlen(path);
        uint64_t hash = left, word;

        for (; left > 0; path += sizeof(word)) {
                size_t size = left < sizeof(word) ? left : sizeof(word);

                word = 0;
                memcpy(&word, path, size);
                hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
                hash ^= hash >> 32;
                left -= size;
        }
        return mix(hash);
}

static bool is_marked(const PolicyIndex *index, uint32_t hash) {
        return (index->marks[hash / 64 & index->program_mask] >> (hash % 64) & 1) != 0;
}

static bool leads_to(const Node *node, uint32_t parent, const char *label, size_t size) {
        if (node->parent != parent || strncmp(node->label, label, size) != 0)
                return false;
        /* the label of an address is all of it, dots included */
        return node->label[size] == '\0' || (node->label[size] == '.' && parent != NODE_ADDRESSES);
}

/* The slot of the edge; 0 in it means that there is none. */
static uint32_t *find_edge(
        const PolicyIndex *index, uint32_t parent, const char *label, size_t size) {
        uint32_t at = hash_edge(parent, label, size) & index->edge_mask;

        while (index->edges[at] != 0 &&
                !leads_to(&index->nodes[index->edges[at]], parent, label, size))
                at = (at + 1) & index->edge_mask;
        return &index->edges[at];
}

static PortChain *find_chain(const PolicyIndex *index, Terminal terminal, uint16_t port) {
        uint32_t at = mix((uint64_t)terminal << 16 | port) & index->chain_mask;

        for (;; at = (at + 1) & index->chain_mask) {
                PortChain *chain = &index->chains[at];

                if (chain->terminal == 0 || (chain->terminal == terminal && chain->port == port))
                        return chain;
        }
}

/* ---- building ---- */

static Terminal terminal_at(Builder *builder, Terminal *place) {
        if (*place == 0)
                *place = builder->index->terminal_count++;
        return *place;
}

static uint32_t child_of(Builder *builder, uint32_t parent, const char *label, size_t size) {
        uint32_t *edge = find_edge(builder->index, parent, label, size);

        if (*edge == 0) {
                *edge = builder->index->node_count++;
                builder->index->nodes[*edge] = (Node){ .label = label, .parent = parent };
        }
        return *edge;
}

static uint32_t star_of(Builder *builder, uint32_t parent) {
        Node *node = &builder->index->nodes[parent];

        if (node->star == 0)
                node->star = builder->index->node_count++;
        return node->star;
}

static Terminal glob_of(Builder *builder, uint32_t parent, const char *label, size_t size) {
        Node *node = &builder->index->nodes[parent];
        Glob *glob;

        for (const Glob *known = node->globs; known != NULL; known = known->next)
                if (strlen(known->pattern) == size && memcmp(known->pattern, label, size) == 0)
                        return known->terminal;
        glob = arena_alloc(builder->arena, sizeof(*glob));
        if (glob == NULL) {
                builder->failed = true;
                return TERMINAL_HOSTLESS;
        }
        glob->pattern = arena_text(builder->arena, label, size);
        builder->failed = builder->failed || glob->pattern == NULL;
        glob->next = node->globs;
        node->globs = glob;
        return terminal_at(builder, &glob->terminal);
}

/* Where a host pattern ends; makes the way to it. */
static Terminal place_host(Builder *builder, const char *host) {
        size_t end = strlen(host);
        uint32_t node = NODE_NAMES;

        while (end > 0) {
                const char *dot = memrchr(host, '.', end);
                const char *label = dot != NULL ? dot + 1 : host;
                size_t size = (size_t)(host + end - label);
                bool first = dot == NULL;

                if (first && size == 2 && memcmp(label, "**", 2) == 0)
                        return terminal_at(builder, &builder->index->nodes[node].deep);
                if (size == 1 && *label == '*')
                        node = star_of(builder, node);
                else if (first && memchr(label, '*', size) != NULL)
                        return glob_of(builder, node, label, size);
                else
                        node = child_of(builder, node, label, size);
                end = first ? 0 : (size_t)(dot - host);
        }
        return terminal_at(builder, &builder->index->nodes[node].exact);
}

static Terminal place_endpoint(Builder *builder, const PolicyEndpoint *endpoint) {
        Address address;

        if (endpoint->host[0] == '\0')
                return TERMINAL_HOSTLESS;
        if (endpoint->exact && address_parse(endpoint->host, &address)) {
                uint32_t node =
                        child_of(builder, NODE_ADDRESSES, endpoint->host, strlen(endpoint->host));

                return terminal_at(builder, &builder->index->nodes[node].exact);
        }
        return place_host(builder, endpoint->host);
}

static void add_endpoint(
        Builder *builder, const PolicyNetwork *network, const PolicyEndpoint *endpoint) {
        Terminal terminal = place_endpoint(builder, endpoint);

        for (uint32_t i = 0; i < endpoint->port_count; i++) {
                PortChain *chain = find_chain(builder->index, terminal, endpoint->ports[i]);
                PolicyEntry *entry = arena_alloc(builder->arena, sizeof(*entry));

                if (entry == NULL) {
                        builder->failed = true;
                        return;
                }
                *entry = (PolicyEntry){
                        .network = network, .endpoint = endpoint, .next = chain->first
                };
                *chain = (PortChain){
                        .terminal = terminal, .port = endpoint->ports[i], .first = entry
                };
                builder->index->any[terminal] = entry;
        }
}

/* ---- programs ---- */

static ProgramSlot *find_program(
        const PolicyIndex *index, const PolicyNetwork *network, const char *path, uint32_t hash) {
        size_t number = (size_t)(network - index->networks);
        uint32_t at = hash_program(hash, number) & index->program_mask;

        for (;; at = (at + 1) & index->program_mask) {
                ProgramSlot *slot = &index->programs[at];

                if (slot->network == NULL ||
                        (slot->network == network && strcmp(slot->binary->path, path) == 0))
                        return slot;
        }
}

const PolicyBinary *policy_index_program(
        const PolicyIndex *index, const PolicyNetwork *network, const char *path, uint32_t hash) {
        const Patterns *patterns = &index->patterns[network - index->networks];
        const ProgramSlot *slot =
                is_marked(index, hash) ? find_program(index, network, path, hash) : NULL;

        if (slot != NULL && slot->network != NULL)
                return slot->binary;
        for (uint32_t i = 0; i < patterns->count; i++)
                if (pattern_matches_path(patterns->items[i]->path, path))
                        return patterns->items[i];
        return NULL;
}

static void add_program(
        Builder *builder, const PolicyNetwork *network, const PolicyBinary *binary) {
        Patterns *patterns = &builder->index->patterns[network - builder->index->networks];
        uint32_t hash;
        ProgramSlot *slot;

        if (!binary->exact) {
                patterns->items[patterns->count++] = binary;
                return;
        }
        hash = policy_index_hash(binary->path);
        builder->index->marks[hash / 64 & builder->index->program_mask] |= 1ULL << (hash % 64);
        slot = find_program(builder->index, network, binary->path, hash);
        if (slot->network == NULL)
                *slot = (ProgramSlot){ .network = network, .binary = binary };
}

static bool add_programs(Builder *builder, const PolicyNetwork *network) {
        Patterns *patterns = &builder->index->patterns[network - builder->index->networks];
        uint32_t count = 0;

        for (uint32_t i = 0; i < network->binary_count; i++)
                count += !network->binaries[i].exact;
        patterns->items = arena_array(builder->arena, count, sizeof(PolicyBinary *));
        if (patterns->items == NULL)
                return false;
        for (uint32_t i = 0; i < network->binary_count; i++)
                add_program(builder, network, &network->binaries[i]);
        return true;
}

/* ---- the whole ---- */

static uint32_t table_size(uint32_t items) {
        uint32_t size = 8;

        while (size < items * 2)
                size *= 2;
        return size;
}

static uint32_t count_dots(const char *host) {
        uint32_t count = 0;

        for (; *host != '\0'; host++)
                count += *host == '.';
        return count;
}

/* How many of each there are. */
typedef struct Sizes {
        uint32_t labels, endpoints, ports, binaries;
} Sizes;

static Sizes count_all(const Policy *policy) {
        Sizes sizes = { 0 };

        for (uint32_t i = 0; i < policy->network_count; i++) {
                const PolicyNetwork *network = &policy->networks[i];

                sizes.binaries += network->binary_count;
                sizes.endpoints += network->endpoint_count;
                for (uint32_t j = 0; j < network->endpoint_count; j++) {
                        sizes.labels += count_dots(network->endpoints[j].host) + 1;
                        sizes.ports += network->endpoints[j].port_count;
                }
        }
        return sizes;
}

static bool allocate(Builder *builder, const Policy *policy, Sizes sizes) {
        uint32_t edges = table_size(sizes.labels), chains = table_size(sizes.ports),
                 programs = table_size(sizes.binaries);

        *builder->index = (PolicyIndex){
                .nodes = arena_array(builder->arena, sizes.labels + 3, sizeof(Node)),
                .edges = arena_array(builder->arena, edges, sizeof(uint32_t)),
                .chains = arena_array(builder->arena, chains, sizeof(PortChain)),
                .any = arena_array(builder->arena, sizes.endpoints + 2, sizeof(PolicyEntry *)),
                .programs = arena_array(builder->arena, programs, sizeof(ProgramSlot)),
                .marks = arena_array(builder->arena, programs, sizeof(uint64_t)),
                .patterns = arena_array(builder->arena, policy->network_count, sizeof(Patterns)),
                .networks = policy->networks,
                .program_mask = programs - 1,
                .edge_mask = edges - 1,
                .chain_mask = chains - 1,
                .node_count = NODE_ADDRESSES + 1,
                .terminal_count = TERMINAL_HOSTLESS + 1,
        };
        return builder->index->nodes != NULL && builder->index->edges != NULL &&
               builder->index->chains != NULL && builder->index->any != NULL &&
               builder->index->programs != NULL && builder->index->marks != NULL &&
               builder->index->patterns != NULL;
}

const PolicyIndex *policy_index_new(Arena *arena, const Policy *policy) {
        Builder builder = { .arena = arena, .index = arena_alloc(arena, sizeof(PolicyIndex)) };

        if (builder.index == NULL || !allocate(&builder, policy, count_all(policy)))
                return NULL;
        for (uint32_t i = 0; i < policy->network_count; i++)
                if (!add_programs(&builder, &policy->networks[i]))
                        return NULL;

        /* backwards, because chains are built by putting in front: the first rule of the file stays
         * the first */
        for (uint32_t i = policy->network_count; i-- > 0;)
                for (uint32_t j = policy->networks[i].endpoint_count; j-- > 0;)
                        add_endpoint(
                                &builder, &policy->networks[i], &policy->networks[i].endpoints[j]);
        return builder.failed ? NULL : builder.index;
}

/* ---- walking ---- */

typedef struct Walk {
        const PolicyIndex *index;
        const char *host;
        uint16_t port;
        PolicyVisitor *visit;
        void *context;
} Walk;

static void visit_terminal(const Walk *walk, Terminal terminal) {
        if (terminal != 0 && walk->index->any[terminal] != NULL)
                walk->visit(walk->context, walk->index->any[terminal],
                        find_chain(walk->index, terminal, walk->port)->first);
}

/* From `node` on, host[0..end) is still to be matched. */
static void walk_labels(const Walk *walk, uint32_t number, size_t end) {
        const Node *node = &walk->index->nodes[number];
        const char *dot, *label;
        size_t size, rest;
        uint32_t child;

        if (end == 0) {
                visit_terminal(walk, node->exact);
                return;
        }
        visit_terminal(walk, node->deep);
        dot = memrchr(walk->host, '.', end);
        label = dot != NULL ? dot + 1 : walk->host;
        size = (size_t)(walk->host + end - label);
        rest = dot != NULL ? (size_t)(dot - walk->host) : 0;

        child = *find_edge(walk->index, number, label, size);
        if (child != 0)
                walk_labels(walk, child, rest);
        if (node->star != 0)
                walk_labels(walk, node->star, rest);
        for (const Glob *glob = rest == 0 ? node->globs : NULL; glob != NULL; glob = glob->next)
                if (pattern_matches_label(glob->pattern, label, size))
                        visit_terminal(walk, glob->terminal);
}

void policy_index_walk_name(const PolicyIndex *index, const char *host, uint16_t port,
        PolicyVisitor *visit, void *context) {
        const Walk walk = {
                .index = index, .host = host, .port = port, .visit = visit, .context = context
        };

        walk_labels(&walk, NODE_NAMES, strlen(host));
}

void policy_index_walk_address(const PolicyIndex *index, const char *host, uint16_t port,
        PolicyVisitor *visit, void *context) {
        const Walk walk = {
                .index = index, .host = host, .port = port, .visit = visit, .context = context
        };
        uint32_t child = *find_edge(index, NODE_ADDRESSES, host, strlen(host));

        if (child != 0)
                visit_terminal(&walk, index->nodes[child].exact);
}

void policy_index_walk_hostless(
        const PolicyIndex *index, uint16_t port, PolicyVisitor *visit, void *context) {
        const Walk walk = { .index = index, .port = port, .visit = visit, .context = context };

        visit_terminal(&walk, TERMINAL_HOSTLESS);
}
