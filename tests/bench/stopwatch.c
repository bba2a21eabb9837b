/* SPDX-License-Identifier: Apache-2.0 */

/*
 * stopwatch KIND [OPTION...] -- PROGRAM [ARGUMENT...]: does one thing many times, some at a time,
 * and prints a line a run in the order in which they were begun, "MICROSECONDS CODE", and last
 * "total MICROSECONDS" from the first preparation to the last end. Whoever reads that makes medians
 * of it; nothing is judged here. A run that fails ends the program: exit 1 and its reason.
 */
#include "base/error.h"
#include "base/log.h"
#include "tests/bench/kind.h"
#include "tests/bench/options.h"
#include "tests/bench/transport.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Lap {
        int64_t nanoseconds;
        int code;
} Lap;

typedef struct Race {
        const Options *options;
        Lap *laps;
        atomic_uint next; /* the run to begin next; beyond options->count: stop */
} Race;

static int64_t nanoseconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int take_time(const Options *options, Lap *lap, Error *error) {
        const Kind *kind = options->kind;
        Run *run = NULL;
        int64_t start;
        int r;

        if (kind->prepare(options, &run, error) < 0)
                return -1;
        start = nanoseconds();
        r = kind->run(run, &lap->code, error);
        lap->nanoseconds = nanoseconds() - start;
        (void)kind->forget(run);
        return r;
}

static void *run_laps(void *context) {
        Race *race = context;
        unsigned at;
        Error error;

        while ((at = atomic_fetch_add(&race->next, 1)) < race->options->count)
                if (take_time(race->options, &race->laps[at], &error) < 0) {
                        (void)error_context(&error, "run %u", at + 1);
                        (void)log_error(&error, "stopwatch");
                        exit(EXIT_FAILURE);
                }
        return NULL;
}

static int race_run(Race *race) {
        pthread_t threads[OPTIONS_PARALLEL_MAX];
        uint32_t count = race->options->parallel;

        for (uint32_t i = 0; i < count; i++) {
                int r = pthread_create(&threads[i], NULL, run_laps, race);

                if (r != 0)
                        return -r;
        }
        for (uint32_t i = 0; i < count; i++)
                (void)pthread_join(threads[i], NULL);
        return 0;
}

static void print(const Race *race, int64_t total) {
        for (uint32_t i = 0; i < race->options->count; i++)
                (void)printf(
                        "%.1f %d\n", (double)race->laps[i].nanoseconds / 1e3, race->laps[i].code);
        (void)printf("total %.1f\n", (double)total / 1e3);
}

int main(int argc, char **argv) {
        Options options;
        Race race = { .options = &options };
        int64_t start;
        Error error;
        int r;

        if (options_parse(argc, argv, &options, &error) < 0 ||
                (options.certificate != NULL &&
                        transport_trust(options.certificate, &options.trust, &error) < 0)) {
                (void)log_error(&error, "stopwatch");
                return 2;
        }
        race.laps = calloc(options.count, sizeof(*race.laps));
        if (race.laps == NULL)
                return EXIT_FAILURE;
        (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
        start = nanoseconds();
        r = race_run(&race);
        if (r < 0)
                (void)fprintf(
                        stderr, "stopwatch: cannot start a thread: %s\n", strerrordesc_np(-r));
        else
                print(&race, nanoseconds() - start);
        free(race.laps);
        options.trust = transport_trust_free(options.trust);
        return r < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
