/* SPDX-License-Identifier: Apache-2.0 */

/* Completion scripts, written from the verb table: words of a place are verbs or options,
 * everything else is files. */
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

static void print_words(const Verb *verb) {
        for (const Verb *sub = verb->verbs; sub != NULL && sub->name != NULL; sub++)
                printf("%s ", sub->name);
        for (size_t i = 0; i < verb->option_count; i++)
                printf("--%s ", verb->options[i].name);
        fputs("--help", stdout);
}

static void print_choices(const VerbOption *option) {
        for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++)
                printf("%s%s", i > 0 ? " " : "", option->choices[i]);
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
                print_choices(&verb->options[i]);
                puts("' ;;");
        }
        printf("    '%s|'*) words='", path);
        print_words(verb);
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
               "  local path=%s word words=\n"
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
                        print_choices(option);
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
                puts(" \\\n    '--help[Say what this verb does]' '*:file:_files'");
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
