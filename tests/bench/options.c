/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/options.h"

#include "base/number.h"
#include "tests/bench/kind.h"

#include <getopt.h>
#include <string.h>

static const struct option known[] = {
        { "count", required_argument, NULL, 'n' },
        { "parallel", required_argument, NULL, 'j' },
        { "socket", required_argument, NULL, 's' },
        { "port", required_argument, NULL, 'p' },
        { "certificate", required_argument, NULL, 'c' },
        { "token", required_argument, NULL, 't' },
        { "pod", required_argument, NULL, 'o' },
        { "login", no_argument, NULL, 'l' },
        { 0 },
};

static int parse_number(
        const char *name, const char *text, uint64_t max, uint64_t *ret, Error *error) {
        if (!number_parse(text, strlen(text), max, ret) || *ret == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "%s takes a number from 1 to %llu, not '%s'", name, (unsigned long long)max,
                        text);
        return 0;
}

static int find_kind(const char *name, const Kind **ret_kind, Error *error) {
        const Kind *const kinds[] = { &kind_spawn, &kind_session, &kind_multiplex };

        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
                if (strcmp(name, kinds[i]->name) == 0) {
                        *ret_kind = kinds[i];
                        return 0;
                }
        return error_set(error, ERROR_INPUT, 0, "there is no kind of run '%s'", name);
}

static int check(const Options *options, Error *error) {
        if (options->kind == &kind_multiplex && options->socket == NULL)
                return error_set(
                        error, ERROR_INPUT, 0, "--socket is missing: the control socket of ssh");
        if (options->kind != &kind_session || options->socket != NULL)
                return 0;
        if (options->port == 0 || options->certificate == NULL || options->token == NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "--socket, or --port, --certificate and --token, say where the gateway is");
        return 0;
}

int options_parse(int argc, char **argv, Options *ret_options, Error *error) {
        Options options = { .count = 1, .parallel = 1, .pod = "demo" };
        uint64_t number;
        int option;

        if (argc < 2)
                return error_set(error, ERROR_INPUT, 0,
                        "usage: stopwatch spawn|session|multiplex [OPTION...] -- PROGRAM "
                        "[ARGUMENT...]");
        if (find_kind(argv[1], &options.kind, error) < 0)
                return -1;
        optind = 2;
        while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1)
                switch (option) {
                case 'n':
                        if (parse_number("--count", optarg, OPTIONS_COUNT_MAX, &number, error) < 0)
                                return -1;
                        options.count = (uint32_t)number;
                        break;
                case 'j':
                        if (parse_number(
                                    "--parallel", optarg, OPTIONS_PARALLEL_MAX, &number, error) < 0)
                                return -1;
                        options.parallel = (uint32_t)number;
                        break;
                case 's':
                        options.socket = optarg;
                        break;
                case 'p':
                        if (parse_number("--port", optarg, UINT16_MAX, &number, error) < 0)
                                return -1;
                        options.port = (uint16_t)number;
                        break;
                case 'c':
                        options.certificate = optarg;
                        break;
                case 't':
                        options.token = optarg;
                        break;
                case 'o':
                        options.pod = optarg;
                        break;
                case 'l':
                        options.login = true;
                        break;
                default:
                        return error_set(error, ERROR_INPUT, 0,
                                "option '%s' is unknown or lacks its value", argv[optind - 1]);
                }
        if (optind >= argc)
                return error_set(error, ERROR_INPUT, 0, "no program was named");
        options.arguments = argv + optind;
        if (check(&options, error) < 0)
                return -1;
        *ret_options = options;
        return 0;
}
