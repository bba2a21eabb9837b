/* SPDX-License-Identifier: Apache-2.0 */

/* Completion scripts, written from the verb table. A group is completed by its verbs; after a verb
 * options are offered when a '-' is typed, else its words, else files. */
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

static void print_verbs(const Verb *verb) {
        for (const Verb *sub = verb->verbs; sub->name != NULL; sub++)
                printf("%s ", sub->name);
        fputs("--help", stdout);
}

static void print_options(const Verb *verb) {
        for (size_t i = 0; i < verb->option_count; i++)
                printf("--%s ", verb->options[i].name);
        fputs("--help", stdout);
}

static void print_words(const char *const *words) {
        for (size_t i = 0; words != NULL && words[i] != NULL; i++)
                printf("%s%s", i > 0 ? " " : "", words[i]);
}

/* ---- bash: a case on the verbs so far ---- */

/* Every way through the table that has more than the program's name, as patterns of a case. */
static void print_bash_paths(const Verb *verb, const char *path, const char *separator) {
        char below[128];

        for (const Verb *sub = verb->verbs; sub != NULL && sub->name != NULL; sub++) {
                (void)snprintf(below, sizeof(below), "%s %s", path, sub->name);
                printf("%s'%s'", separator, below);
                separator = "|";
                print_bash_paths(sub, below, separator);
        }
}

static void print_bash_verb(const Verb *verb, const char *path) {
        char below[128];

        for (size_t i = 0; i < verb->option_count; i++) {
                if (verb->options[i].choices == NULL)
                        continue;
                printf("    '%s|--%s') words='", path, verb->options[i].name);
                print_words(verb->options[i].choices);
                puts("' ;;");
        }
        printf("    '%s|'*) words='", path);
        if (verb->verbs != NULL)
                print_verbs(verb);
        else
                print_words(verb->words);
        fputs("' options='", stdout);
        print_options(verb);
        puts("' ;;");
        for (const Verb *sub = verb->verbs; sub != NULL && sub->name != NULL; sub++) {
                (void)snprintf(below, sizeof(below), "%s %s", path, sub->name);
                print_bash_verb(sub, below);
        }
}

static void print_bash(const Verb *root) {
        printf("# bash completion for %s\n"
               "_%s() {\n"
               "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
               "  local path=%s word words= options=\n"
               "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
               "    case \"$path $word\" in\n      ",
                root->name, root->name, root->name);
        print_bash_paths(root, root->name, "");
        printf(") path+=\" $word\" ;;\n"
               "      *) break ;;\n"
               "    esac\n"
               "  done\n"
               "  case \"$path|$previous\" in\n");
        print_bash_verb(root, root->name);
        printf("  esac\n"
               "  [[ $current == -* && $options ]] && words=$options\n"
               "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
               "}\n"
               "complete -o default -F _%s %s\n",
                root->name, root->name);
}

/* ---- zsh: a function for each verb ---- */

/* In zsh's specifications a quote, a bracket and a colon mean something. */
static void print_zsh_text(const char *text) {
        for (; *text != '\0'; text++) {
                if (*text == '\'')
                        fputs("'\\''", stdout);
                else if (strchr("[]:", *text) != NULL)
                        printf("\\%c", *text);
                else
                        putchar(*text);
        }
}

static void print_zsh_option(const VerbOption *option) {
        printf(" \\\n    '--%s[", option->name);
        print_zsh_text(option->summary);
        putchar(']');
        if (option->argument != NULL) {
                putchar(':');
                print_zsh_text(option->argument);
                putchar(':');
                if (option->choices != NULL) {
                        putchar('(');
                        print_words(option->choices);
                        putchar(')');
                } else {
                        fputs("_files", stdout);
                }
        }
        putchar('\'');
}

static void print_zsh_group(const Verb *verb, const char *function) {
        printf("  local -a verbs=(");
        for (const Verb *sub = verb->verbs; sub->name != NULL; sub++) {
                printf("\n    '%s:", sub->name);
                print_zsh_text(sub->summary);
                putchar('\'');
        }
        printf(")\n"
               "  if ((CURRENT == 2)); then _describe verb verbs; return; fi\n"
               "  shift words; ((CURRENT--))\n"
               "  case $words[1] in\n");
        for (const Verb *sub = verb->verbs; sub->name != NULL; sub++)
                printf("    %s) %s_%s ;;\n", sub->name, function, sub->name);
        puts("  esac");
}

static void print_zsh_verb(const Verb *verb, const char *function) {
        char below[128];

        printf("%s() {\n", function);
        if (verb->verbs != NULL) {
                print_zsh_group(verb, function);
        } else {
                fputs("  _arguments", stdout);
                for (size_t i = 0; i < verb->option_count; i++)
                        print_zsh_option(&verb->options[i]);
                fputs(" \\\n    '--help[Say what this verb does]' '*:", stdout);
                if (verb->words != NULL) {
                        fputs("word:(", stdout);
                        print_words(verb->words);
                        puts(")'");
                } else {
                        puts("file:_files'");
                }
        }
        puts("}");
        for (const Verb *sub = verb->verbs; sub != NULL && sub->name != NULL; sub++) {
                (void)snprintf(below, sizeof(below), "%s_%s", function, sub->name);
                print_zsh_verb(sub, below);
        }
}

static void print_zsh(const Verb *root) {
        char function[64];

        (void)snprintf(function, sizeof(function), "_%s", root->name);
        printf("#compdef %s\n", root->name);
        print_zsh_verb(root, function);
        printf("%s \"$@\"\n", function);
}

int completion_run(const Invocation *invocation) {
        const char *shell = invocation->arguments[0];

        if (strcmp(shell, "bash") == 0)
                print_bash(invocation->root);
        else if (strcmp(shell, "zsh") == 0)
                print_zsh(invocation->root);
        else
                return verb_misused(invocation, "there is no completion for '%s'", shell);
        return VERB_YES;
}
