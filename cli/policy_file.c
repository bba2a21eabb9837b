/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The command line holds no privilege, so it parses in its own process. Everything that is printed
 * about a file goes to stderr, the answers of the verbs to stdout.
 */
#include "cli/policy_file.h"

#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"
#include "policy/ceiling.h"
#include "policy/parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CARET_COLUMN_MAX 160U /* a longer line is shown from its beginning, without caret */

void policy_file_donep(PolicyFile *file) {
        free(file->text);
        file->text = NULL;
        file->policy = policy_unref(file->policy);
}

static int read_text(PolicyFile *file, Error *error) {
        if (strcmp(file->name, "-") == 0)
                return file_read_fd(STDIN_FILENO, "standard input", POLICY_TEXT_MAX, &file->text,
                        &file->size, error);
        return file_read(AT_FDCWD, file->name, POLICY_TEXT_MAX, &file->text, &file->size, error);
}

int policy_file_read(const char *name, PolicyFile *ret_file) {
        Error error = { 0 };

        *ret_file = (PolicyFile){ .name = name };
        if (read_text(ret_file, &error) < 0) {
                if (error.kind != ERROR_LIMIT) {
                        fprintf(stderr, "navigator: %s\n", error.text);
                        return VERB_ERROR;
                }
                (void)diagnostics_add(&ret_file->diagnostics, (PolicyPosition){ 0 },
                        "the file is larger than %zu bytes", POLICY_TEXT_MAX);
                return VERB_NO;
        }
        if (policy_parse(
                    ret_file->text, ret_file->size, &ret_file->policy, &ret_file->diagnostics) < 0)
                return VERB_NO;
        return VERB_YES;
}

int policy_file_bound(PolicyFile *file, const char *ceiling_name) {
        cleanup(policy_file_donep) PolicyFile ceiling = { 0 };
        Policy *bounded = NULL;
        Error error = { 0 };
        int code = ceiling_name != NULL ? policy_file_read(ceiling_name, &ceiling) : VERB_YES;

        if (ceiling_name == NULL)
                return VERB_YES;
        if (code == VERB_NO)
                policy_file_print_errors(&ceiling);
        if (code != VERB_YES)
                return VERB_ERROR;
        if (policy_bound(file->policy, ceiling.policy, &bounded, &error) < 0) {
                fprintf(stderr, "navigator: %s\n", error.text);
                return VERB_ERROR;
        }
        (void)policy_unref(file->policy);
        file->policy = bounded;
        return VERB_YES;
}

int policy_file_load(const char *name, const char *ceiling, PolicyFile *ret_file) {
        int code = policy_file_read(name, ret_file);

        if (code == VERB_NO)
                policy_file_print_errors(ret_file);
        return code == VERB_YES ? policy_file_bound(ret_file, ceiling) : code;
}

/* ---- errors with their lines ---- */

static const char *find_line(const PolicyFile *file, uint32_t number, size_t *ret_size) {
        const char *line = file->text, *end = file->text + file->size, *newline;

        while (line < end && number > 1) {
                newline = memchr(line, '\n', (size_t)(end - line));
                line = newline != NULL ? newline + 1 : end;
                number--;
        }
        newline = memchr(line, '\n', (size_t)(end - line));
        *ret_size = (size_t)((newline != NULL ? newline : end) - line);
        return line;
}

/* Bytes of a hostile file must not move the cursor. */
static void print_plain(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                fputc((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i], stderr);
}

static void print_caret(const PolicyFile *file, PolicyPosition position) {
        size_t size;
        const char *line;

        if (file->text == NULL || position.line == 0)
                return;
        line = find_line(file, position.line, &size);
        fprintf(stderr, "%6u | ", position.line);
        print_plain(line, size < CARET_COLUMN_MAX ? size : CARET_COLUMN_MAX);
        fputc('\n', stderr);
        if (position.column <= CARET_COLUMN_MAX)
                fprintf(stderr, "       | %*s\n", (int)position.column, "^");
}

static void print_place(const PolicyFile *file, PolicyPosition position) {
        fprintf(stderr, "%s", file->name);
        if (position.line != 0)
                fprintf(stderr, ":%u:%u", position.line, position.column);
        fputs(": ", stderr);
}

void policy_file_print_errors(const PolicyFile *file) {
        const Diagnostics *diagnostics = &file->diagnostics;
        bool caret = isatty(STDERR_FILENO);

        for (uint32_t i = 0; i < diagnostics->count; i++) {
                print_place(file, diagnostics->items[i].position);
                fprintf(stderr, "%s\n", diagnostics->items[i].text);
                if (caret)
                        print_caret(file, diagnostics->items[i].position);
        }
        if (diagnostics->total > diagnostics->count)
                fprintf(stderr, "%s: and %u more errors\n", file->name,
                        diagnostics->total - diagnostics->count);
}

void policy_file_print_findings(const PolicyFile *file) {
        for (uint32_t i = 0; i < file->policy->finding_count; i++) {
                const PolicyFinding *finding = &file->policy->findings[i];

                print_place(file, finding->position);
                fprintf(stderr, "%s: %s\n", policy_finding_name(finding->kind), finding->text);
        }
}
