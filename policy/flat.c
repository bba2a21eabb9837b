/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writer and reader list the same fields in the same order, a function a structure. The reader
 * trusts nothing: counts are bounded by the bytes that are left, enumerations by their last value,
 * paths and hosts by the rules of the model.
 */
#include "policy/flat.h"

#include "base/arena.h"
#include "base/path.h"

#include <errno.h>
#include <string.h>

#define UNPACKED_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define LIST_MAX 65536U /* items of any list */

/* ---- writing ---- */

typedef struct Writer {
        Packer *packer;
        bool canonical; /* without positions and findings: what the hash is made of */
} Writer;

static void write_position(Writer *writer, PolicyPosition position) {
        if (writer->canonical)
                return;
        pack_u32(writer->packer, position.line);
        pack_u32(writer->packer, position.column);
}

static void write_texts(Writer *writer, const char *const *texts, uint32_t count) {
        pack_u32(writer->packer, count);
        for (uint32_t i = 0; i < count; i++)
                pack_string(writer->packer, texts[i]);
}

static void write_paths(Writer *writer, const PolicyPath *paths, uint32_t count) {
        pack_u32(writer->packer, count);
        for (uint32_t i = 0; i < count; i++) {
                pack_string(writer->packer, paths[i].path);
                pack_u8(writer->packer, (uint8_t)paths[i].access);
                pack_u8(writer->packer, (uint8_t)paths[i].origin);
                pack_u8(writer->packer, paths[i].must_exist);
                write_position(writer, paths[i].position);
        }
}

static void write_range(Writer *writer, const AddressRange *range) {
        pack_u8(writer->packer, range->address.family);
        for (size_t i = 0; i < sizeof(range->address.bytes); i++)
                pack_u8(writer->packer, range->address.bytes[i]);
        pack_u8(writer->packer, range->prefix);
}

static void write_rules(Writer *writer, const PolicyRule *rules, uint32_t count) {
        pack_u32(writer->packer, count);
        for (uint32_t i = 0; i < count; i++) {
                pack_string(writer->packer, rules[i].method);
                pack_string(writer->packer, rules[i].path);
                pack_u32(writer->packer, rules[i].query_count);
                for (uint32_t j = 0; j < rules[i].query_count; j++) {
                        pack_string(writer->packer, rules[i].query[j].name);
                        write_texts(
                                writer, rules[i].query[j].values, rules[i].query[j].value_count);
                }
                write_position(writer, rules[i].position);
        }
}

static void write_endpoint(Writer *writer, const PolicyEndpoint *endpoint) {
        Packer *packer = writer->packer;

        pack_string(packer, endpoint->host);
        pack_u8(packer, endpoint->exact);
        pack_u32(packer, endpoint->port_count);
        for (uint32_t i = 0; i < endpoint->port_count; i++)
                pack_u16(packer, endpoint->ports[i]);
        pack_u32(packer, endpoint->allowed_ip_count);
        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++)
                write_range(writer, &endpoint->allowed_ips[i]);
        pack_u8(packer, (uint8_t)endpoint->protocol);
        pack_u8(packer, (uint8_t)endpoint->tls);
        pack_u8(packer, (uint8_t)endpoint->enforcement);
        pack_u8(packer, (uint8_t)endpoint->access);
        pack_string(packer, endpoint->path);
        pack_string(packer, endpoint->settings);
        write_rules(writer, endpoint->rules, endpoint->rule_count);
        write_rules(writer, endpoint->deny_rules, endpoint->deny_rule_count);
        write_position(writer, endpoint->position);
}

static void write_binary(Writer *writer, const PolicyBinary *binary) {
        pack_string(writer->packer, binary->path);
        pack_u8(writer->packer, binary->exact);
        write_position(writer, binary->position);
}

static void write_network(Writer *writer, const PolicyNetwork *network) {
        pack_string(writer->packer, network->key);
        pack_string(writer->packer, network->name);
        pack_u32(writer->packer, network->endpoint_count);
        for (uint32_t i = 0; i < network->endpoint_count; i++)
                write_endpoint(writer, &network->endpoints[i]);
        pack_u32(writer->packer, network->binary_count);
        for (uint32_t i = 0; i < network->binary_count; i++)
                write_binary(writer, &network->binaries[i]);
        write_position(writer, network->position);
}

static void write_findings(Writer *writer, const Policy *policy) {
        if (writer->canonical)
                return;
        pack_u32(writer->packer, policy->finding_count);
        for (uint32_t i = 0; i < policy->finding_count; i++) {
                pack_u8(writer->packer, (uint8_t)policy->findings[i].kind);
                pack_string(writer->packer, policy->findings[i].text);
                write_position(writer, policy->findings[i].position);
        }
}

static void write_body(Writer *writer, const Policy *policy) {
        Packer *packer = writer->packer;

        write_paths(writer, policy->paths, policy->path_count);
        pack_u8(packer, policy->include_workdir);
        pack_u8(packer, (uint8_t)policy->landlock);
        pack_string(packer, policy->user);
        pack_string(packer, policy->group);
        write_position(writer, policy->user_position);
        write_position(writer, policy->group_position);
        pack_u32(packer, policy->network_count);
        for (uint32_t i = 0; i < policy->network_count; i++)
                write_network(writer, &policy->networks[i]);
        write_texts(writer, policy->inference_routes, policy->inference_route_count);
        write_findings(writer, policy);
}

static void write_policy(Writer *writer, const Policy *policy) {
        pack_u32(writer->packer, POLICY_FLAT_MAGIC);
        write_body(writer, policy);
        pack_u8(writer->packer, policy->ceiling != NULL);
        if (policy->ceiling != NULL)
                write_body(writer, policy->ceiling);
}

void policy_pack(const Policy *policy, Packer *packer) {
        Writer writer = { .packer = packer };

        write_policy(&writer, policy);
}

/* ---- reading ---- */

typedef struct Reader {
        Unpacker fields;
        Arena *arena;
        uint32_t binaries; /* numbered so far */
        bool failed;       /* a value outside the model, or no memory */
} Reader;

static void *read_array(Reader *reader, uint32_t *ret_count, size_t size) {
        uint32_t count = unpack_count(&reader->fields, LIST_MAX);
        void *items = reader->failed ? NULL : arena_array(reader->arena, count, size);

        if (items == NULL)
                reader->failed = true;
        *ret_count = reader->failed ? 0 : count;
        return items;
}

static const char *read_text(Reader *reader) {
        const char *text = unpack_string(&reader->fields);
        const char *copy = arena_text(reader->arena, text, strlen(text));

        if (copy == NULL)
                reader->failed = true;
        return copy != NULL ? copy : "";
}

static unsigned read_enumeration(Reader *reader, unsigned last) {
        unsigned value = unpack_u8(&reader->fields);

        if (value < 1 || value > last)
                reader->failed = true;
        return reader->failed ? 1 : value;
}

static bool read_bool(Reader *reader) {
        unsigned value = unpack_u8(&reader->fields);

        if (value > 1)
                reader->failed = true;
        return value == 1;
}

static PolicyPosition read_position(Reader *reader) {
        uint32_t line = unpack_u32(&reader->fields);

        return (PolicyPosition){ .line = line, .column = unpack_u32(&reader->fields) };
}

static const char *const *read_texts(Reader *reader, uint32_t *ret_count) {
        const char **texts = read_array(reader, ret_count, sizeof(*texts));

        for (uint32_t i = 0; i < *ret_count; i++)
                texts[i] = read_text(reader);
        return texts;
}

/* The launcher opens these paths as root: they are what the model says, or nothing is. */
static void check_path(Reader *reader, const char *path) {
        char normal[POLICY_PATH_SIZE_MAX + 1];

        if (path_normalise(path, normal, sizeof(normal)) != PATH_NORMAL ||
                strcmp(normal, path) != 0)
                reader->failed = true;
}

static const PolicyPath *read_paths(Reader *reader, uint32_t *ret_count) {
        PolicyPath *paths = read_array(reader, ret_count, sizeof(*paths));

        if (*ret_count > POLICY_PATHS_MAX)
                reader->failed = true;
        for (uint32_t i = 0; i < *ret_count && !reader->failed; i++) {
                paths[i].path = read_text(reader);
                paths[i].access = read_enumeration(reader, POLICY_READ_WRITE);
                paths[i].origin = read_enumeration(reader, POLICY_ORIGIN_WORKDIR);
                paths[i].must_exist = read_bool(reader);
                paths[i].position = read_position(reader);
                check_path(reader, paths[i].path);
                if (paths[i].access == POLICY_READ_WRITE && strcmp(paths[i].path, "/") == 0)
                        reader->failed = true;
        }
        return paths;
}

static AddressRange read_range(Reader *reader) {
        AddressRange range = { .address.family = unpack_u8(&reader->fields) };

        for (size_t i = 0; i < sizeof(range.address.bytes); i++)
                range.address.bytes[i] = unpack_u8(&reader->fields);
        range.prefix = unpack_u8(&reader->fields);
        if ((range.address.family != 4 && range.address.family != 6) ||
                range.prefix > (range.address.family == 4 ? 32 : 128))
                reader->failed = true;
        return range;
}

static const PolicyRule *read_rules(Reader *reader, uint32_t *ret_count) {
        PolicyRule *rules = read_array(reader, ret_count, sizeof(*rules));

        for (uint32_t i = 0; i < *ret_count; i++) {
                PolicyQuery *query;

                rules[i].method = read_text(reader);
                rules[i].path = read_text(reader);
                query = read_array(reader, &rules[i].query_count, sizeof(*query));
                for (uint32_t j = 0; j < rules[i].query_count; j++) {
                        query[j].name = read_text(reader);
                        query[j].values = read_texts(reader, &query[j].value_count);
                }
                rules[i].query = query;
                rules[i].position = read_position(reader);
        }
        return rules;
}

static void read_ports(Reader *reader, PolicyEndpoint *endpoint) {
        uint16_t *ports = read_array(reader, &endpoint->port_count, sizeof(*ports));

        for (uint32_t i = 0; i < endpoint->port_count; i++) {
                ports[i] = unpack_u16(&reader->fields);
                if (ports[i] == 0)
                        reader->failed = true;
        }
        endpoint->ports = ports;
}

static void read_endpoint(Reader *reader, PolicyEndpoint *endpoint) {
        AddressRange *ranges;

        endpoint->host = read_text(reader);
        endpoint->exact = read_bool(reader);
        read_ports(reader, endpoint);
        ranges = read_array(reader, &endpoint->allowed_ip_count, sizeof(*ranges));
        for (uint32_t i = 0; i < endpoint->allowed_ip_count; i++)
                ranges[i] = read_range(reader);
        endpoint->allowed_ips = ranges;
        endpoint->protocol = read_enumeration(reader, POLICY_PROTOCOL_MCP);
        endpoint->tls = read_enumeration(reader, POLICY_TLS_SKIP);
        endpoint->enforcement = read_enumeration(reader, POLICY_AUDIT);
        endpoint->access = read_enumeration(reader, POLICY_PRESET_FULL);
        endpoint->path = read_text(reader);
        endpoint->settings = read_text(reader);
        endpoint->rules = read_rules(reader, &endpoint->rule_count);
        endpoint->deny_rules = read_rules(reader, &endpoint->deny_rule_count);
        endpoint->position = read_position(reader);
}

static void read_network(Reader *reader, PolicyNetwork *network) {
        PolicyEndpoint *endpoints;
        PolicyBinary *binaries;

        network->key = read_text(reader);
        network->name = read_text(reader);
        endpoints = read_array(reader, &network->endpoint_count, sizeof(*endpoints));
        for (uint32_t i = 0; i < network->endpoint_count; i++)
                read_endpoint(reader, &endpoints[i]);
        network->endpoints = endpoints;
        binaries = read_array(reader, &network->binary_count, sizeof(*binaries));
        for (uint32_t i = 0; i < network->binary_count; i++) {
                binaries[i].path = read_text(reader);
                binaries[i].exact = read_bool(reader);
                binaries[i].position = read_position(reader);
                binaries[i].number = reader->binaries++;
        }
        network->binaries = binaries;
        network->position = read_position(reader);
}

static const PolicyNetwork *read_networks(Reader *reader, uint32_t *ret_count) {
        PolicyNetwork *networks = read_array(reader, ret_count, sizeof(*networks));

        for (uint32_t i = 0; i < *ret_count; i++)
                read_network(reader, &networks[i]);
        return networks;
}

static const PolicyFinding *read_findings(Reader *reader, uint32_t *ret_count) {
        PolicyFinding *findings = read_array(reader, ret_count, sizeof(*findings));

        for (uint32_t i = 0; i < *ret_count; i++) {
                findings[i].kind = read_enumeration(reader, POLICY_FINDING_BOUNDED);
                findings[i].text = read_text(reader);
                findings[i].position = read_position(reader);
        }
        return findings;
}

static void read_body(Reader *reader, Policy *policy) {
        policy->paths = read_paths(reader, &policy->path_count);
        policy->include_workdir = read_bool(reader);
        policy->landlock = read_enumeration(reader, POLICY_LANDLOCK_BEST_EFFORT);
        policy->user = read_text(reader);
        policy->group = read_text(reader);
        policy->user_position = read_position(reader);
        policy->group_position = read_position(reader);
        policy->networks = read_networks(reader, &policy->network_count);
        policy->inference_routes = read_texts(reader, &policy->inference_route_count);
        policy->findings = read_findings(reader, &policy->finding_count);
}

int policy_unpack(const void *data, size_t size, Policy **ret_policy, Error *error) {
        cleanup(arena_freep) Arena *arena = arena_new(UNPACKED_SIZE_MAX);
        Reader reader = { .fields = unpacker(data, size), .arena = arena };
        Policy fields = { 0 };
        Policy *policy, *ceiling;

        if (arena == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for a policy");
        if (size > POLICY_FLAT_SIZE_MAX || unpack_u32(&reader.fields) != POLICY_FLAT_MAGIC)
                return error_set(error, ERROR_PEER, 0, "not a packed policy of this version");

        read_body(&reader, &fields);
        if (read_bool(&reader)) {
                ceiling = arena_alloc(arena, sizeof(*ceiling));
                if (ceiling == NULL)
                        return error_set(error, ERROR_OS, ENOMEM, "no room for a policy");
                read_body(&reader, ceiling);
                fields.ceiling = ceiling;
        }
        if (reader.failed || !unpack_end(&reader.fields))
                return error_set(
                        error, ERROR_PEER, 0, "a packed policy has a value outside its bounds");

        fields.binary_count = reader.binaries;
        policy = policy_seal(take_ptr(arena), &fields);
        if (policy == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for a policy");
        *ret_policy = policy;
        return 0;
}

int policy_hash(const Policy *policy, uint8_t ret_hash[static SHA256_SIZE]) {
        Packer packer = packer_growing(2 * POLICY_FLAT_SIZE_MAX);
        Writer writer = { .packer = &packer, .canonical = true };
        int r = -1;

        write_policy(&writer, policy);
        if (!packer.failed) {
                sha256(packer.data, packer.size, ret_hash);
                r = 0;
        }
        packer_done(&packer);
        return r;
}
