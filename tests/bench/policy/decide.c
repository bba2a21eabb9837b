/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench-policy: how long a decision takes with 10 to 10 000 rules, and loading a policy through the
 * jail. Each figure is the best of several rounds, so that other work on the machine does not
 * count. Ends with 1 when a decision takes more than a microsecond, or with 10 000 rules several
 * times as long as with 10.
 */
#include "policy/decide.h"
#include "base/cleanup.h"
#include "policy/load.h"
#include "policy/parse.h"
#include "tests/bench/policy/shapes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 15U
#define DECISIONS 20000U
#define LOADS 50U
#define NANOSECONDS_MAX 1000.0
#define GROWTH_MAX 4.0 /* memory that is no longer in the nearest cache */

typedef struct Kind {
        const char *name;
        const char *rule; /* '#' is its number */
        const char *host; /* a request for the rule of that number */
        uint16_t port;
} Kind;

static const Kind kinds[] = {
        { "names", "{host: a.#,port: 1},", "a.#", 1 },
        { "wildcards", "{host: '*.c.#',port: 1},", "a.c.#", 1 },
        { "denied: no such host", "{host: a.#,port: 1},", "x.a.#", 1 },
        { "denied: no such port", "{host: a.#,port: 1},", "a.#", 2 },
};

static double now(void) {
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The pattern with a number in it; in base 36, so that 10 000 rules fit into a file, and with a
 * letter in front, because a host does not end in a number. */
static void number_text(const char *pattern, unsigned number, char text[static 64]) {
        static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
        const char *place = strchr(pattern, '#');

        (void)snprintf(text, 64, "%.*s%c%c%c%s", (int)(place - pattern), pattern,
                digits[10 + number / 1296], digits[number / 36 % 36], digits[number % 36],
                place + 1);
}

static Policy *make_policy(const Kind *kind, unsigned rules) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        Diagnostics diagnostics;
        Policy *policy = NULL;

        if (out == NULL)
                return NULL;
        fputs("version: 1\nnetwork_policies: {a: {binaries: [{path: /usr/bin/curl}], endpoints: [",
                out);
        for (unsigned i = 0; i < rules; i++) {
                char rule[64];

                number_text(kind->rule, i, rule);
                fputs(rule, out);
        }
        fputs("]}}\n", out);
        if (fclose(out) != 0 || policy_parse(text, size, &policy, &diagnostics) < 0) {
                fprintf(stderr, "%s, %u rules: %s\n", kind->name, rules, diagnostics.items[0].text);
                exit(2);
        }
        return policy;
}

/* Hosts all over the policy, so that no rule stays in the cache by chance. */
static void make_hosts(const Kind *kind, unsigned rules, char hosts[static 64][64]) {
        for (unsigned i = 0; i < 64; i++)
                number_text(kind->host, i * 7919U % rules, hosts[i]);
}

static double best_decision(const Kind *kind, unsigned rules) {
        cleanup(policy_unrefp) Policy *policy = make_policy(kind, rules);
        const PolicyProgram programs[] = { { .path = "/usr/bin/curl" }, { .path = "/bin/bash" } };
        PolicyRequest request = { .port = kind->port, .programs = programs, .program_count = 2 };
        char hosts[64][64];
        double best = 1e18;
        unsigned allowed = 0;

        make_hosts(kind, rules, hosts);
        for (unsigned round = 0; round < ROUNDS; round++) {
                double before = now(), each;

                for (unsigned i = 0; i < DECISIONS; i++) {
                        request.host = hosts[i % 64];
                        allowed += policy_decide(policy, &request).allowed;
                }
                each = (now() - before) / DECISIONS;
                if (each < best)
                        best = each;
        }
        if (allowed != (kind->name[0] == 'd' ? 0 : ROUNDS * DECISIONS)) {
                fprintf(stderr, "%s: %u were allowed\n", kind->name, allowed);
                exit(2);
        }
        return best;
}

static bool measure_decisions(const Kind *kind) {
        static const unsigned counts[] = { 10, 100, 1000, 10000 };
        double figures[4];
        bool good = true;

        printf("%-24s", kind->name);
        for (size_t i = 0; i < 4; i++) {
                figures[i] = best_decision(kind, counts[i]);
                good = good && figures[i] <= NANOSECONDS_MAX;
                printf("%10.0f", figures[i]);
                (void)fflush(stdout);
        }
        good = good && figures[3] <= figures[0] * GROWTH_MAX;
        puts(good ? "" : "  too slow");
        return good;
}

static void measure_load(void) {
        static const char text[] = "version: 1\nnetwork_policies: {a: {endpoints: [{host: a.b, "
                                   "port: 1}], binaries: [{path: /x}]}}\n";
        const PolicyText source = { .name = "policy.yaml", .text = text, .size = sizeof(text) - 1 };
        JailIdentity identity = geteuid() == 0 ? JAIL_DROP_IDENTITY : JAIL_NOTHING_TO_DROP;
        double best = 1e18;

        for (unsigned i = 0; i < LOADS; i++) {
                cleanup(policy_unrefp) Policy *policy = NULL;
                double before = now(), took;
                Error error;

                if (policy_load(&source, NULL, identity, &policy, &error) < 0) {
                        fprintf(stderr, "%s\n", error.text);
                        exit(2);
                }
                took = now() - before;
                if (took < best)
                        best = took;
        }
        printf("\nloading a small policy through the jail: %.2f ms\n", best / 1e6);
}

int main(void) {
        bool good = true;

        printf("%-24s%10s%10s%10s%10s\n", "nanoseconds; rules:", "10", "100", "1000", "10000");
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
                good = measure_decisions(&kinds[i]) && good;
        shapes_measure();
        measure_load();
        return good ? 0 : 1;
}
