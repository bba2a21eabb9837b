/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The command line holds no privilege, so it parses in its own process. Everything that is printed
 * about a file goes to stderr, the answers of the verbs to stdout.
 */
#include "cli/policy_file.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"
#include "policy/ceiling.h"
#include "policy/characters.h"
#include "policy/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CARET_COLUMN_MAX 160U /* a longer line is shown from its beginning, without caret */

void policy_file_donep(PolicyFile *file) {
        free(file->text);
        file->text = NULL;
        file->policy = policy_unref(file->policy);
}

/* A pipe is what <(command) of a shell is. A FIFO with a name may have nobody who writes. */
static bool is_readable(int fd) {
        struct statfs system;
        struct stat status;

        if (fstat(fd, &status) < 0 || fstatfs(fd, &system) < 0)
                return false;
        return S_ISREG(status.st_mode) ||
               (S_ISFIFO(status.st_mode) && system.f_type == PIPEFS_MAGIC);
}

static int read_text(const char *name, PolicyFile *file, Error *error) {
        cleanup_fd int fd = -1;

        if (strcmp(name, "-") == 0)
                return file_read_fd(
                        STDIN_FILENO, file->name, POLICY_TEXT_MAX, &file->text, &file->size, error);
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", name);
        if (!is_readable(fd) || fcntl(fd, F_SETFL, 0) < 0)
                return error_set(
                        error, ERROR_INPUT, 0, "'%s' is neither a regular file nor a pipe", name);
        return file_read_fd(fd, name, POLICY_TEXT_MAX, &file->text, &file->size, error);
}

int policy_file_read(const char *name, PolicyFile *ret_file) {
        Error error = { 0 };

        *ret_file = (PolicyFile){ .name = strcmp(name, "-") == 0 ? "standard input" : name };
        if (read_text(name, ret_file, &error) < 0) {
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
        file->ceiling = ceiling.name;
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
        for (size_t at = 0; at < size;) {
                uint32_t character = 0;
                size_t step = character_read(text + at, size - at, &character);

                if (step == 0 || character == '\r' || character_refusal(character) != NULL)
                        fputc('?', stderr);
                else
                        (void)fwrite(text + at, 1, step, stderr);
                at += step > 0 ? step : 1;
        }
}

/* Bytes of the first `count` characters. */
static size_t first_characters(const char *text, size_t size, size_t count) {
        size_t at = 0;

        for (; at < size && count > 0; count--) {
                uint32_t character;
                size_t step = character_read(text + at, size - at, &character);

                at += step > 0 ? step : 1;
        }
        return at;
}

static void print_caret(const PolicyFile *file, PolicyPosition position) {
        size_t size;
        const char *line;

        if (file->text == NULL || position.line == 0)
                return;
        line = find_line(file, position.line, &size);
        if (size > 0 && line[size - 1] == '\r')
                size--;
        fprintf(stderr, "%6u | ", position.line);
        print_plain(line, first_characters(line, size, CARET_COLUMN_MAX));
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
