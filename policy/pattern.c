/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/pattern.h"

#include "policy/address.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * One pass with two places to go back to. Going back to the last wildcard alone is enough: what an
 * earlier one could do by taking more, the last one can do as well, up to the '/' that it may not
 * take; then only the last '**' can help.
 */
bool pattern_matches_path(const char *pattern, const char *path) {
        const char *star = NULL, *star_path = NULL, *deep = NULL, *deep_path = NULL;

        for (;;) {
                if (pattern[0] == '*' && pattern[1] == '*') {
                        pattern += strspn(pattern, "*");
                        deep = pattern;
                        deep_path = path;
                        star = NULL;
                } else if (pattern[0] == '*') {
                        star = ++pattern;
                        star_path = path;
                } else if (*path != '\0' && *pattern == *path) {
                        pattern++;
                        path++;
                } else if (*path == '\0' && *pattern == '\0') {
                        return true;
                } else if (star != NULL && *star_path != '\0' && *star_path != '/') {
                        pattern = star;
                        path = ++star_path;
                } else if (deep != NULL && *deep_path != '\0') {
                        pattern = deep;
                        path = ++deep_path;
                        star = NULL;
                } else {
                        return false;
                }
        }
}

/* The pattern gets through the directory and its '/' with something left to match more. Goes back
 * like pattern_matches_path(). */
bool pattern_reaches_below(const char *pattern, const char *directory) {
        char path[PATH_MAX + 2];
        const char *star = NULL, *star_path = NULL, *deep = NULL, *deep_path = NULL, *at = path;

        if (snprintf(path, sizeof(path), "%s/", directory) >= (int)sizeof(path))
                return true;
        for (;;) {
                if (*at == '\0') {
                        return *pattern != '\0' || deep != NULL;
                } else if (pattern[0] == '*' && pattern[1] == '*') {
                        pattern += strspn(pattern, "*");
                        deep = pattern;
                        deep_path = at;
                        star = NULL;
                } else if (pattern[0] == '*') {
                        star = ++pattern;
                        star_path = at;
                } else if (*pattern == *at) {
                        pattern++;
                        at++;
                } else if (star != NULL && *star_path != '/') {
                        pattern = star;
                        at = ++star_path;
                } else if (deep != NULL) {
                        pattern = deep;
                        at = ++deep_path;
                        star = NULL;
                } else {
                        return false;
                }
        }
}

bool pattern_matches_label(const char *pattern, const char *label, size_t size) {
        const char *star = NULL;
        size_t at = 0, star_at = 0;

        for (;;) {
                if (*pattern == '*') {
                        star = ++pattern;
                        star_at = at;
                } else if (at < size && *pattern == label[at]) {
                        pattern++;
                        at++;
                } else if (at == size && *pattern == '\0') {
                        return true;
                } else if (star != NULL && star_at < size) {
                        pattern = star;
                        at = ++star_at;
                } else {
                        return false;
                }
        }
}

bool pattern_has_wildcard(const char *text) {
        return strchr(text, '*') != NULL;
}

/* What both patterns have before their first wildcards must agree. */
static bool same_beginning(const char *a, const char *b) {
        size_t plain_a = strcspn(a, "*"), plain_b = strcspn(b, "*");

        return memcmp(a, b, plain_a < plain_b ? plain_a : plain_b) == 0;
}

bool pattern_may_overlap(const char *a, const char *b) {
        if (!pattern_has_wildcard(b))
                return pattern_matches_path(a, b);
        if (!pattern_has_wildcard(a))
                return pattern_matches_path(b, a);
        return same_beginning(a, b);
}

static char lower(char c) {
        return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_host_character(char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '*';
}

typedef struct Label {
        const char *at;
        size_t size;
} Label;

static bool label_is(Label label, const char *text) {
        return label.size == strlen(text) && memcmp(label.at, text, label.size) == 0;
}

static HostForm judge_characters(Label label) {
        if (label.size == 0)
                return HOST_LABEL;
        if (label.size > 63)
                return HOST_TOO_LONG;
        for (size_t i = 0; i < label.size; i++)
                if (!is_host_character(label.at[i]))
                        return HOST_CHARACTER;
        if (label.at[0] == '-' || label.at[label.size - 1] == '-')
                return HOST_LABEL;
        return HOST_NAME;
}

/* `from_end` counts labels from the right, 0 is the top level. */
static HostForm judge_wildcards(Label label, size_t index, size_t from_end) {
        bool deep;

        if (memchr(label.at, '*', label.size) == NULL)
                return HOST_NAME;
        deep = memmem(label.at, label.size, "**", 2) != NULL;
        if (from_end < 2)
                return HOST_TLD;
        if (deep && (index != 0 || !label_is(label, "**")))
                return HOST_DEEP_PLACE;
        if (index != 0 && !label_is(label, "*"))
                return HOST_PARTIAL_PLACE;
        return HOST_PATTERN;
}

/* What inet_aton() would take for an address: the last label is a number. Two readers of such a
 * host may disagree, so nobody gets it. */
static bool ends_in_number(Label label) {
        size_t i = 0;

        if (label.size >= 2 && label.at[0] == '0' && label.at[1] == 'x')
                return true;
        while (i < label.size && is_digit(label.at[i]))
                i++;
        return i == label.size;
}

static size_t count_labels(const char *host) {
        size_t count = 1;

        for (; *host != '\0'; host++)
                count += *host == '.';
        return count;
}

static HostForm judge_name(const char *host) {
        size_t count = count_labels(host);
        HostForm form = HOST_NAME;
        const char *at = host;

        if (strcmp(host, "*") == 0 || strcmp(host, "**") == 0)
                return HOST_BARE;
        for (size_t i = 0; i < count; i++) {
                Label label = { .at = at, .size = strcspn(at, ".") };
                HostForm judged = judge_characters(label);

                if (judged == HOST_NAME)
                        judged = judge_wildcards(label, i, count - 1 - i);
                if (judged == HOST_NAME && i == count - 1 && ends_in_number(label))
                        judged = HOST_NUMBERS;
                if (judged == HOST_PATTERN)
                        form = HOST_PATTERN;
                else if (judged != HOST_NAME)
                        return judged;
                at += label.size + 1;
        }
        return form;
}

HostForm host_parse(const char *text, char ret_host[static HOST_SIZE]) {
        char host[HOST_SIZE];
        size_t size = strlen(text);
        Address address;
        HostForm form;

        if (address_parse(text, &address)) {
                address_format(&address, ret_host);
                return HOST_ADDRESS;
        }
        if (size > 1 && text[size - 1] == '.')
                size--;
        if (size == 0)
                return HOST_EMPTY;
        if (size > 253)
                return HOST_TOO_LONG;
        for (size_t i = 0; i < size; i++)
                host[i] = lower(text[i]);
        host[size] = '\0';
        form = judge_name(host);
        if (form == HOST_NAME || form == HOST_PATTERN)
                memcpy(ret_host, host, size + 1);
        return form;
}
