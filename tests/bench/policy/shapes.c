/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Policies that are large in another direction than the number of hosts. Each request is the one
 * that takes longest: what it looks for comes last, or is not there.
 */
#include "tests/bench/policy/shapes.h"

#include "base/cleanup.h"
#include "policy/decide.h"
#include "policy/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 15U
#define ROUND_NANOSECONDS 2e6
#define CHAIN_MAX 32U /* what the launcher tells of a socket */
#define PATH_MAX_HERE 64U

typedef void Write(FILE *out, unsigned count);

typedef struct Shape {
        const char *name;
        Write *write;
        const char *host;
        const char *last; /* the farthest program; before it come such that no rule names */
        unsigned chain;
        bool identities; /* files are known by device and inode, too */
        bool allowed;
} Shape;

static void begin(FILE *out) {
        fputs("version: 1\nnetwork_policies:\n", out);
}

static void write_programs(FILE *out, unsigned count) {
        begin(out);
        fputs("  a: {endpoints: [{host: a.example.com, port: 443}], binaries: [{path: /usr/bin/zz}",
                out);
        for (unsigned i = 1; i < count; i++)
                fprintf(out, ",{path: /usr/bin/p%u}", i);
        fputs("]}\n", out);
}

static void write_patterns(FILE *out, unsigned count) {
        begin(out);
        fputs("  a: {endpoints: [{host: a.example.com, port: 443}], binaries: [{path: "
              "'/usr/*/z*'}",
                out);
        for (unsigned i = 1; i < count; i++)
                fprintf(out, ",{path: '/opt/%u/**/b*'}", i);
        fputs("]}\n", out);
}

static void write_policies(FILE *out, unsigned count) {
        begin(out);
        for (unsigned i = 1; i < count; i++)
                fprintf(out,
                        "  n%u: {endpoints: [{host: a.example.com, port: 443}], binaries: [{path: "
                        "/usr/bin/p%u}]}\n",
                        i, i);
        fputs("  z: {endpoints: [{host: a.example.com, port: 443}], binaries: [{path: "
              "/usr/bin/zz}]}\n",
                out);
}

static void write_ports(FILE *out, unsigned count) {
        begin(out);
        fputs("  a: {binaries: [{path: /usr/bin/zz}], endpoints: [{host: a.example.com, ports: "
              "[443",
                out);
        for (unsigned i = 1; i < count; i++)
                fprintf(out, ",%u", 1000 + i);
        fputs("]}]}\n", out);
}

static void write_addresses(FILE *out, unsigned count) {
        begin(out);
        fputs("  a: {binaries: [{path: /usr/bin/zz}], endpoints: [{port: 443, allowed_ips: "
              "[10.200.0.1",
                out);
        for (unsigned i = 1; i < count; i++)
                fprintf(out, ",10.%u.%u.1", i / 250, i % 250);
        fputs("]}]}\n", out);
}

#define DEEP                                                                                       \
        "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a." \
        "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a." \
        "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.com"

static void write_depths(FILE *out, unsigned count) {
        begin(out);
        fputs("  a: {binaries: [{path: /usr/bin/zz}], endpoints: [", out);
        for (unsigned i = 0; i < count; i++) {
                fputs("{host: '**", out);
                for (unsigned j = 0; j <= i; j++)
                        fputs(".a", out);
                fputs(".com', port: 443},", out);
        }
        fputs("]}\n", out);
}

#define PROGRAM "/usr/bin/zz"

static const Shape shapes[] = {
        { "programs", write_programs, "a.example.com", PROGRAM, 1, false, true },
        { "programs, 32 ancestors", write_programs, "a.example.com", PROGRAM, 32, false, true },
        { "programs by identity", write_programs, "a.example.com", "/x", 8, true, false },
        { "program patterns", write_patterns, "a.example.com", PROGRAM, 1, false, true },
        { "patterns, 8 ancestors", write_patterns, "a.example.com", PROGRAM, 8, false, true },
        { "policies at one host", write_policies, "a.example.com", PROGRAM, 1, false, true },
        { "policies, 8 ancestors", write_policies, "a.example.com", PROGRAM, 8, false, true },
        { "ports", write_ports, "a.example.com", PROGRAM, 1, false, true },
        { "addresses", write_addresses, "10.200.0.1", PROGRAM, 1, false, true },
        { "a deep host", write_depths, DEEP, PROGRAM, 1, false, true },
};

static double now(void) {
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static Policy *make_policy(const Shape *shape, unsigned count) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        Diagnostics diagnostics;
        Policy *policy = NULL;

        if (out == NULL)
                return NULL;
        shape->write(out, count);
        if (fclose(out) != 0 || policy_parse(text, size, &policy, &diagnostics) < 0) {
                fprintf(stderr, "%s, %u: %s\n", shape->name, count, diagnostics.items[0].text);
                exit(2);
        }
        return policy;
}

static void make_chain(const Shape *shape, PolicyProgram programs[static CHAIN_MAX],
        char paths[static CHAIN_MAX][PATH_MAX_HERE]) {
        for (unsigned i = 0; i < shape->chain; i++) {
                (void)snprintf(paths[i], PATH_MAX_HERE, "/usr/lib/x86_64-linux-gnu/nobody-%u", i);
                programs[i] = (PolicyProgram){ .path = paths[i], .identity = { 1, 7 + i } };
        }
        programs[shape->chain - 1].path = shape->last;
}

static double measure(const Shape *shape, unsigned count) {
        cleanup(policy_unrefp) Policy *policy = make_policy(shape, count);
        cleanup_free PolicyIdentity *identities =
                calloc((size_t)policy->binary_count + 1, sizeof(*identities));
        PolicyProgram programs[CHAIN_MAX];
        char paths[CHAIN_MAX][PATH_MAX_HERE];
        const PolicyRequest request = { .host = shape->host,
                .port = 443,
                .programs = programs,
                .program_count = shape->chain,
                .identities = shape->identities ? identities : NULL };
        double best = 1e18;

        for (uint32_t i = 0; identities != NULL && i < policy->binary_count; i++)
                identities[i] = (PolicyIdentity){ 1, 1000 + i };
        make_chain(shape, programs, paths);
        for (unsigned round = 0; round < ROUNDS; round++) {
                double before = now(), each;
                unsigned done = 0;

                do {
                        if (policy_decide(policy, &request).allowed != shape->allowed) {
                                fprintf(stderr, "%s: another answer\n", shape->name);
                                exit(2);
                        }
                        done++;
                } while (done % 64 != 0 || now() - before < ROUND_NANOSECONDS);
                each = (now() - before) / done;
                if (each < best)
                        best = each;
        }
        return best;
}

void shapes_measure(void) {
        static const unsigned counts[] = { 1, 10, 100, 1000 };

        printf("\n%-24s%10s%10s%10s%10s\n", "nanoseconds; of them:", "1", "10", "100", "1000");
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
                printf("%-24s", shapes[i].name);
                for (size_t j = 0; j < sizeof(counts) / sizeof(*counts); j++) {
                        bool fits = shapes[i].write != write_depths || counts[j] <= 100;

                        if (fits)
                                printf("%10.0f", measure(&shapes[i], counts[j]));
                        (void)fflush(stdout);
                }
                puts("");
        }
}
