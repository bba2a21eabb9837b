/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/suggestion.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 48U

/* The attempts of one program: a part of the sorted list. */
typedef struct Group {
        const Attempt *const *items; /* borrowed */
        size_t count;
        size_t first; /* the group with the same places whose rule names this program, too */
} Group;

typedef struct Groups {
        const Attempt *chosen[ATTEMPTS_MAX];
        Group items[ATTEMPTS_MAX];
        size_t count;
} Groups;

static bool same_places(const Group *one, const Group *other) {
        if (one->count != other->count)
                return false;
        for (size_t i = 0; i < one->count; i++)
                if (one->items[i]->port != other->items[i]->port ||
                        strcmp(one->items[i]->host, other->items[i]->host) != 0)
                        return false;
        return true;
}

static void make_groups(const Attempts *attempts, Groups *groups) {
        size_t chosen = 0;

        for (size_t i = 0; i < attempts->count; i++)
                if (attempts->items[i]->why_not[0] == '\0')
                        groups->chosen[chosen++] = attempts->items[i];
        for (size_t i = 0; i < chosen; i++) {
                Group *last = &groups->items[groups->count];

                if (groups->count == 0 ||
                        strcmp(groups->chosen[i]->binary, last[-1].items[0]->binary) != 0)
                        groups->items[groups->count++] = (Group){ .items = &groups->chosen[i] };
                groups->items[groups->count - 1].count++;
        }
        for (size_t i = 0; i < groups->count; i++) {
                groups->items[i].first = i;
                for (size_t before = 0; before < i; before++)
                        if (same_places(&groups->items[i], &groups->items[before])) {
                                groups->items[i].first = before;
                                break;
                        }
        }
}

/* "suggested_pip3_11" of "/usr/bin/pip3.11". */
static void make_key(const Group *group, char ret_key[static KEY_SIZE]) {
        const char *slash = strrchr(group->items[0]->binary, '/');

        (void)snprintf(ret_key, KEY_SIZE, "suggested_%s", slash != NULL ? slash + 1 : "");
        for (char *at = ret_key; *at != '\0'; at++)
                if (!isalnum((unsigned char)*at))
                        *at = '_';
}

/* Two programs of one name: /usr/bin/python3 and /app/bin/python3. */
static size_t count_namesakes(const Groups *groups, size_t of, const char *key) {
        char other[KEY_SIZE];
        size_t count = 0;

        for (size_t i = 0; i < of; i++) {
                make_key(&groups->items[i], other);
                if (groups->items[i].first == i && strcmp(other, key) == 0)
                        count++;
        }
        return count;
}

/* Names need no quotes in YAML; what could be read as a number or a mapping does. */
static void print_host(FILE *out, const char *host) {
        const bool plain = isalpha((unsigned char)host[0]) && strchr(host, ':') == NULL &&
                           strchr(host, '.') != NULL;

        fprintf(out, plain ? "%s" : "'%s'", host);
}

/* All ports of one host, which stand together. Returns how many attempts that were. */
static size_t print_endpoint(FILE *out, const Group *group, size_t at) {
        const Attempt *const *items = group->items + at;
        size_t count = 1;
        uint64_t times = items[0]->count;

        while (at + count < group->count && strcmp(items[count]->host, items[0]->host) == 0)
                times += items[count++]->count;
        fputs("      - {host: ", out);
        print_host(out, items[0]->host);
        if (count == 1)
                fprintf(out, ", port: %u", items[0]->port);
        for (size_t i = 0; count > 1 && i < count; i++)
                fprintf(out, "%s%u", i == 0 ? ", ports: [" : ", ", items[i]->port);
        fprintf(out, "%s}  # %" PRIu64 " time%s\n", count > 1 ? "]" : "", times,
                times == 1 ? "" : "s");
        return count;
}

static void print_rule(FILE *out, const Groups *groups, size_t first) {
        const Group *group = &groups->items[first];
        char key[KEY_SIZE];
        size_t namesakes;

        make_key(group, key);
        namesakes = count_namesakes(groups, first, key);
        if (namesakes > 0)
                fprintf(out, "  %s_%zu:\n    endpoints:\n", key, namesakes + 1);
        else
                fprintf(out, "  %s:\n    endpoints:\n", key);
        for (size_t at = 0; at < group->count;)
                at += print_endpoint(out, group, at);
        fputs("    binaries:\n", out);
        for (size_t i = first; i < groups->count; i++)
                if (groups->items[i].first == first)
                        fprintf(out, "      - {path: %s}\n", groups->items[i].items[0]->binary);
}

static void print_rules(FILE *out, const Groups *groups) {
        if (groups->count > 0)
                fputs("network_policies:\n", out);
        for (size_t i = 0; i < groups->count; i++)
                if (groups->items[i].first == i)
                        print_rule(out, groups, i);
}

int suggestion_write(const Attempts *attempts, char **ret_text, size_t *ret_size, Error *error) {
        Groups *groups = calloc(1, sizeof(*groups));
        char *text = NULL;
        size_t size = 0;
        FILE *out = groups != NULL ? open_memstream(&text, &size) : NULL;

        if (out != NULL) {
                make_groups(attempts, groups);
                print_rules(out, groups);
        }
        free(groups);
        if (out == NULL || fclose(out) != 0) {
                free(text);
                return error_set(error, ERROR_OS, ENOMEM, "cannot write the suggestion");
        }
        *ret_text = text;
        *ret_size = size;
        return 0;
}
