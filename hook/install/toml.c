/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One pass over the text, keeping the path of the table we are in. Values are not converted unless
 * they are the one that was asked for; the others are stepped over by matching quotes and brackets.
 * No copy of the document is made.
 */
#include "hook/install/toml.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

typedef struct Scanner {
        const char *name;
        const char *at;
        unsigned line;
        char table[TOML_PATH_MAX];
        Error *error;
} Scanner;

/* One key = value; the value is what stands between the two pointers. */
typedef struct Entry {
        char path[TOML_PATH_MAX];
        const char *begin, *end;
        unsigned line;
        bool is_table; /* a header: no value */
} Entry;

static int refuse(const Scanner *scanner, const char *what) {
        return error_set(
                scanner->error, ERROR_INPUT, 0, "%s:%u: %s", scanner->name, scanner->line, what);
}

/* -- stepping over */

static void skip_comment(Scanner *scanner) {
        while (*scanner->at != '\0' && *scanner->at != '\n')
                scanner->at++;
}

static void skip_blanks(Scanner *scanner) {
        scanner->at += strspn(scanner->at, " \t\r");
}

/* Blanks, comments and line ends. */
static void skip_space(Scanner *scanner) {
        for (;;) {
                skip_blanks(scanner);
                if (*scanner->at == '#')
                        skip_comment(scanner);
                if (*scanner->at != '\n')
                        return;
                scanner->at++;
                scanner->line++;
        }
}

/* A string in any of TOML's four quotings, from its first quote to behind its last. */
static int skip_string(Scanner *scanner) {
        char quote = *scanner->at;
        bool is_long = scanner->at[1] == quote && scanner->at[2] == quote;
        size_t width = is_long ? 3 : 1;

        for (scanner->at += width; *scanner->at != '\0'; scanner->at++) {
                if (*scanner->at == '\n') {
                        if (!is_long)
                                return refuse(scanner, "a string does not end on its line");
                        scanner->line++;
                }
                if (quote == '"' && *scanner->at == '\\' && scanner->at[1] != '\0')
                        scanner->at++;
                else if (*scanner->at == quote &&
                         (!is_long || (scanner->at[1] == quote && scanner->at[2] == quote))) {
                        scanner->at += width;
                        return 0;
                }
        }
        return refuse(scanner, "a string does not end");
}

/* Arrays and inline tables, by counting brackets of both kinds. */
static int skip_bracketed(Scanner *scanner) {
        unsigned depth = 0;

        do {
                skip_space(scanner);
                switch (*scanner->at) {
                case '\0':
                        return refuse(scanner, "a bracket is not closed");
                case '"':
                case '\'':
                        if (skip_string(scanner) < 0)
                                return -1;
                        continue;
                case '[':
                case '{':
                        depth++;
                        break;
                case ']':
                case '}':
                        depth--;
                        break;
                default:
                        break;
                }
                scanner->at++;
        } while (depth > 0);
        return 0;
}

static int skip_value(Scanner *scanner) {
        if (*scanner->at == '"' || *scanner->at == '\'')
                return skip_string(scanner);
        if (*scanner->at == '[' || *scanner->at == '{')
                return skip_bracketed(scanner);
        scanner->at += strcspn(scanner->at, " \t\r\n#");
        return 0;
}

/* -- keys */

static int append_part(
        Scanner *scanner, char path[static TOML_PATH_MAX], const char *part, size_t size) {
        size_t length = strlen(path);
        size_t slash = length > 0 ? 1 : 0;

        if (length + slash + size >= TOML_PATH_MAX)
                return refuse(scanner, "a key is too long");
        if (slash > 0)
                path[length] = '/';
        memcpy(path + length + slash, part, size);
        path[length + slash + size] = '\0';
        return 0;
}

/* a.b."c.d" appended to path */
static int read_key(Scanner *scanner, char path[static TOML_PATH_MAX]) {
        for (;;) {
                const char *part;
                size_t size;

                skip_blanks(scanner);
                part = scanner->at;
                if (*part == '"' || *part == '\'') {
                        if (skip_string(scanner) < 0)
                                return -1;
                        part++;
                        size = (size_t)(scanner->at - part) - 1;
                } else {
                        size = strspn(part,
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
                        scanner->at += size;
                        if (size == 0)
                                return refuse(scanner, "a key was expected");
                }
                if (append_part(scanner, path, part, size) < 0)
                        return -1;
                skip_blanks(scanner);
                if (*scanner->at != '.')
                        return 0;
                scanner->at++;
        }
}

/* [table] or [[element of a list of tables]] */
static int read_header(Scanner *scanner) {
        scanner->at += strspn(scanner->at, "[");
        scanner->table[0] = '\0';
        if (read_key(scanner, scanner->table) < 0)
                return -1;
        if (*scanner->at != ']')
                return refuse(scanner, "']' was expected");
        scanner->at += strspn(scanner->at, "]");
        return 0;
}

/* 1: *ret_entry is filled; 0: the end. */
static int next_entry(Scanner *scanner, Entry *entry) {
        skip_space(scanner);
        entry->line = scanner->line;
        entry->is_table = *scanner->at == '[';
        if (*scanner->at == '\0')
                return 0;
        if (entry->is_table) {
                if (read_header(scanner) < 0)
                        return -1;
                memcpy(entry->path, scanner->table, sizeof(entry->path));
                return 1;
        }
        memcpy(entry->path, scanner->table, sizeof(entry->path));
        if (read_key(scanner, entry->path) < 0)
                return -1;
        if (*scanner->at != '=')
                return refuse(scanner, "'=' was expected");
        scanner->at++;
        skip_blanks(scanner);
        entry->begin = scanner->at;
        if (skip_value(scanner) < 0)
                return -1;
        entry->end = scanner->at;
        return 1;
}

/* -- looking up */

/* Is `path` below `parent`? */
static bool is_below(const char *path, const char *parent) {
        size_t length = strlen(parent);

        return strncmp(path, parent, length) == 0 && path[length] == '/';
}

static int find(Toml toml, const char *path, Entry *entry, Error *error) {
        Scanner scanner = { .name = toml.name, .at = toml.text, .line = 1, .error = error };
        int r;

        while ((r = next_entry(&scanner, entry)) > 0) {
                if (entry->is_table)
                        continue;
                scanner.line = entry->line;
                if (strcmp(entry->path, path) == 0)
                        return 1;
                if (*entry->begin == '{' && is_below(path, entry->path))
                        return refuse(&scanner, "an inline table where a setting is looked for: "
                                                "write it as a [section]");
        }
        return r;
}

static int wrong_kind(Toml toml, const Entry *entry, const char *wanted, Error *error) {
        return error_set(error, ERROR_INPUT, 0, "%s:%u: '%s' is not %s", toml.name, entry->line,
                entry->path, wanted);
}

/* A string on one line, without escapes: what paths and names are. */
static int copy_string(Toml toml, const Entry *entry, const char *begin, const char *end,
        char value[static TOML_STRING_MAX], Error *error) {
        size_t size = (size_t)(end - begin);

        if (size < 2 || (*begin != '"' && *begin != '\'') || size - 2 >= TOML_STRING_MAX ||
                memchr(begin, '\n', size) != NULL ||
                (*begin == '"' && memchr(begin, '\\', size) != NULL))
                return wrong_kind(toml, entry, "a plain string", error);
        memcpy(value, begin + 1, size - 2);
        value[size - 2] = '\0';
        return 1;
}

int toml_string(Toml toml, const char *path, char ret_value[static TOML_STRING_MAX], Error *error) {
        Entry entry;
        int r = find(toml, path, &entry, error);

        return r > 0 ? copy_string(toml, &entry, entry.begin, entry.end, ret_value, error) : r;
}

static bool is_word(const Entry *entry, const char *word) {
        return (size_t)(entry->end - entry->begin) == strlen(word) &&
               strncmp(entry->begin, word, strlen(word)) == 0;
}

int toml_boolean(Toml toml, const char *path, bool *ret_value, Error *error) {
        Entry entry;
        int r = find(toml, path, &entry, error);

        if (r <= 0)
                return r;
        if (!is_word(&entry, "true") && !is_word(&entry, "false"))
                return wrong_kind(toml, &entry, "true or false", error);
        *ret_value = is_word(&entry, "true");
        return 1;
}

int toml_number(Toml toml, const char *path, uint64_t *ret_value, Error *error) {
        Entry entry;
        int r = find(toml, path, &entry, error);

        if (r > 0 && !number_parse(
                             entry.begin, (size_t)(entry.end - entry.begin), UINT32_MAX, ret_value))
                return wrong_kind(toml, &entry, "a number", error);
        return r;
}

int toml_strings(Toml toml, const char *path, bool (*each)(const char *value, void *context),
        void *context, Error *error) {
        Scanner scanner = { .name = toml.name, .error = error };
        char value[TOML_STRING_MAX];
        Entry entry;
        int r = find(toml, path, &entry, error);

        if (r <= 0)
                return r;
        if (*entry.begin != '[')
                return wrong_kind(toml, &entry, "a list", error);
        scanner.at = entry.begin + 1;
        scanner.line = entry.line;
        for (;;) {
                const char *begin;

                skip_space(&scanner);
                if (*scanner.at == ']')
                        return 1;
                begin = scanner.at;
                if (skip_value(&scanner) < 0 ||
                        copy_string(toml, &entry, begin, scanner.at, value, error) < 0)
                        return -1;
                if (!each(value, context))
                        return 1;
                skip_space(&scanner);
                if (*scanner.at == ',')
                        scanner.at++;
        }
}

int toml_has(Toml toml, const char *path, Error *error) {
        Scanner scanner = { .name = toml.name, .at = toml.text, .line = 1, .error = error };
        Entry entry;
        int r;

        while ((r = next_entry(&scanner, &entry)) > 0)
                if (strcmp(entry.path, path) == 0 || is_below(entry.path, path))
                        return 1;
        return r;
}
