/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A verb is found by walking the table with the first words; options are getopt_long's, made from
 * the same table. Choices are checked here, so a verb's function sees only values that its row
 * allows.
 */
#include "cli/verb.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TITLE_MAX 128U

/* ---- help ---- */

static int width_of_names(const Verb *verbs) {
        int width = 0;

        for (const Verb *verb = verbs; verb->name != NULL; verb++)
                if ((int)strlen(verb->name) > width)
                        width = (int)strlen(verb->name);
        return width;
}

static void print_options(const Verb *verb, FILE *out) {
        char left[64];

        fputs("\nOptions:\n", out);
        for (size_t i = 0; i < verb->option_count; i++) {
                const VerbOption *option = &verb->options[i];

                (void)snprintf(left, sizeof(left), "--%s%s%s", option->name,
                        option->argument != NULL ? " " : "",
                        option->argument != NULL ? option->argument : "");
                fprintf(out, "  %-28s %s\n", left, option->summary);
        }
        fprintf(out, "  %-28s %s\n", "--help", "Say this");
}

static void print_help(const Verb *verb, const char *title, FILE *out) {
        if (verb->verbs != NULL)
                fprintf(out, "Usage: %s VERB ...\n\n%s.\n\n", title, verb->summary);
        else
                fprintf(out, "Usage: %s [OPTIONS]%s%s\n\n%s.\n", title,
                        verb->arguments[0] != '\0' ? " " : "", verb->arguments, verb->summary);
        for (const Verb *sub = verb->verbs; sub != NULL && sub->name != NULL; sub++)
                fprintf(out, "  %-*s  %s\n", width_of_names(verb->verbs), sub->name, sub->summary);
        if (verb->help != NULL)
                fprintf(out, "\n%s", verb->help);
        if (verb->verbs == NULL)
                print_options(verb, out);
        else
                fprintf(out, "\n'%s VERB --help' says more.\n", title);
}

/* ---- arguments ---- */

int verb_misused(const Invocation *invocation, const char *format, ...) {
        va_list args;

        fprintf(stderr, "%s: ", invocation->title);
        va_start(args, format);
        (void)vfprintf(stderr, format, args);
        va_end(args);
        fprintf(stderr, "\nTry '%s --help'.\n", invocation->title);
        return VERB_ERROR;
}

const char *verb_value(const Invocation *invocation, const char *option) {
        size_t i = 0;

        while (i < invocation->verb->option_count &&
                strcmp(invocation->verb->options[i].name, option) != 0)
                i++;
        assert(i < invocation->verb->option_count);
        return invocation->values[i];
}

bool verb_wants_json(const Invocation *invocation) {
        const char *output = verb_value(invocation, "output");

        return output != NULL && strcmp(output, "json") == 0;
}

static bool is_choice(const VerbOption *option, const char *value) {
        if (option->choices == NULL)
                return true;
        for (const char *const *choice = option->choices; *choice != NULL; choice++)
                if (strcmp(*choice, value) == 0)
                        return true;
        return false;
}

static void make_long_options(
        const Verb *verb, struct option ret_options[static VERB_OPTIONS_MAX + 2]) {
        assert(verb->option_count <= VERB_OPTIONS_MAX);
        for (size_t i = 0; i < verb->option_count; i++)
                ret_options[i] = (struct option){ .name = verb->options[i].name,
                        .has_arg =
                                verb->options[i].argument != NULL ? required_argument : no_argument,
                        .val = (int)i };
        ret_options[verb->option_count] = (struct option){ .name = "help", .val = 'h' + 256 };
        ret_options[verb->option_count + 1] = (struct option){ 0 };
}

/* 0; 1: help was asked for; -1: wrong, and said so. */
static int read_options(Invocation *invocation, int argc, char **argv) {
        const Verb *verb = invocation->verb;
        struct option options[VERB_OPTIONS_MAX + 2];
        int value;

        make_long_options(verb, options);
        optind = 1;
        opterr = 0;
        while ((value = getopt_long(argc, argv, verb->passes_rest ? "+:h" : ":h", options, NULL)) !=
                -1) {
                if (value == 'h' || value == 'h' + 256)
                        return 1;
                if (value == ':')
                        return verb_misused(invocation, "'%s' needs a value", argv[optind - 1]) *
                               -1;
                if (value == '?')
                        return verb_misused(
                                       invocation, "there is no option '%s'", argv[optind - 1]) *
                               -1;
                if (optarg != NULL && !is_choice(&verb->options[value], optarg))
                        return verb_misused(invocation, "--%s cannot be '%s'",
                                       verb->options[value].name, optarg) *
                               -1;
                invocation->values[value] = optarg != NULL ? optarg : "";
        }
        invocation->arguments = argv + optind;
        invocation->count = argc - optind;
        return 0;
}

static int run_verb(Invocation *invocation, int argc, char **argv) {
        const Verb *verb = invocation->verb;
        int r = read_options(invocation, argc, argv);

        if (r < 0)
                return VERB_ERROR;
        if (r > 0) {
                print_help(verb, invocation->title, stdout);
                return VERB_YES;
        }
        if (invocation->count < verb->minimum)
                return verb_misused(invocation, "it takes %s", verb->arguments);
        if (verb->maximum >= 0 && invocation->count > verb->maximum)
                return verb_misused(invocation, "'%s' is one argument too many",
                        invocation->arguments[verb->maximum]);
        return verb->run(invocation);
}

static const Verb *find_verb(const Verb *group, const char *name) {
        for (const Verb *verb = group->verbs; verb->name != NULL; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

static bool asks_for_help(const char *word) {
        return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int verb_main(const Verb *root, int argc, char **argv) {
        char title[TITLE_MAX];
        Invocation invocation = { .root = root, .verb = root, .title = title };
        size_t used;

        (void)snprintf(title, sizeof(title), "%s", root->name);
        while (invocation.verb->verbs != NULL) {
                const Verb *found;

                if (argc < 2) {
                        print_help(invocation.verb, title, stderr);
                        return VERB_ERROR;
                }
                if (asks_for_help(argv[1])) {
                        print_help(invocation.verb, title, stdout);
                        return VERB_YES;
                }
                found = find_verb(invocation.verb, argv[1]);
                if (found == NULL)
                        return verb_misused(&invocation, "there is no verb '%s'", argv[1]);
                used = strlen(title);
                (void)snprintf(title + used, sizeof(title) - used, " %s", found->name);
                invocation.verb = found;
                argc--;
                argv++;
        }
        return run_verb(&invocation, argc, argv);
}
