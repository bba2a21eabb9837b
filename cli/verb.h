/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Verbs: what `navigator` can be asked to do, as one table. Parsing, --help, and the shells'
 * completion are made from it; a new verb is a row in cli/verbs.c and its function.
 */
#include <stdbool.h>
#include <stddef.h>

/* Exit codes, the same for every verb. */
typedef enum VerbExit {
        VERB_YES = 0, /* done; or the answer is yes */
        VERB_NO =
                1, /* the answer is no: an invalid policy, a denied request, a change that widens */
        VERB_ERROR = 2, /* could not be done: wrong arguments, a file that cannot be read */
} VerbExit;

#define VERB_OPTIONS_MAX 16U

typedef struct VerbOption {
        const char *name;           /* without "--" */
        const char *argument;       /* what it takes, for the help: "FILE"; NULL for a flag */
        const char *const *choices; /* NULL-ended, when only these are allowed */
        const char *summary;
} VerbOption;

typedef struct Verb Verb;
typedef struct Invocation Invocation;

typedef int VerbFunction(const Invocation *invocation); /* returns the exit code */

struct Verb {
        const char *name;
        const char *arguments; /* as the help writes them: "FILE [PATH]" */
        const char *summary;   /* one line */
        const char *help;      /* paragraphs and examples, printed as they are; NULL */
        const VerbOption *options;
        size_t option_count;
        int minimum, maximum; /* of arguments; maximum -1: any number */
        const char *const *words; /* NULL-ended: what an argument is one of, for completion; NULL:
                                     files */
        bool passes_rest;     /* arguments end the options: `exec POD -- ls -l` */
        VerbFunction *run;    /* NULL for a group */
        const Verb *verbs;    /* of a group, ended by a verb without name */
};

struct Invocation {
        const Verb *root, *verb;
        const char *title;                    /* "navigator policy check" */
        const char *values[VERB_OPTIONS_MAX]; /* of verb->options; "" for a flag that is set */
        char **arguments;                     /* NULL-ended, borrowed from argv */
        int count;
};

extern const Verb verb_root;

/* Finds the verb, reads its options and runs it; prints help or what is wrong with the arguments.
 * Returns the exit code. */
int verb_main(const Verb *root, int argc, char **argv);

/* The value of an option, or NULL. Asking for one that the verb does not have is a programming
 * mistake. */
const char *verb_value(const Invocation *invocation, const char *option);
/* --output json */
bool verb_wants_json(const Invocation *invocation);
/* Says "navigator policy check: TEXT" and how to get help, on stderr. Returns VERB_ERROR. */
__attribute__((__format__(__printf__, 2, 3))) int verb_misused(
        const Invocation *invocation, const char *format, ...);

int completion_run(const Invocation *invocation);
