/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a scalar is, is decided by what its key wants, never guessed: a plain `yes` is text here, a
 * plain 1500 is no text. Whether a plain scalar could also be read as null, truth or number follows
 * YAML's core schema, so that no other reader of the file sees something else.
 *
 * Node.value is set here, and nowhere else: the number, the truth, or the place among the choices
 * plus one.
 */
#include "policy/read.h"

#include "base/arena.h"
#include "base/number.h"
#include "policy/draft.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a plain scalar is, by YAML's core schema ---- */

static bool is_one_of(const char *text, const char *const *words) {
        for (; *words != NULL; words++)
                if (strcmp(text, *words) == 0)
                        return true;
        return false;
}

static bool is_null(const Node *node) {
        static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };

        return node->kind == NODE_SCALAR && !node->quoted && is_one_of(node->text, nulls);
}

static bool is_bool(const Node *node, bool *ret_value) {
        static const char *const yes[] = { "true", "True", "TRUE", NULL };
        static const char *const no[] = { "false", "False", "FALSE", NULL };

        if (node->kind != NODE_SCALAR || node->quoted)
                return false;
        *ret_value = is_one_of(node->text, yes);
        return *ret_value || is_one_of(node->text, no);
}

/* Integers, decimal fractions and exponents; also 0x and 0o: what another reader would not take for
 * text. */
static bool is_number(const Node *node) {
        const char *text = node->text;
        size_t digits;

        if (node->kind != NODE_SCALAR || node->quoted)
                return false;
        text += *text == '-' || *text == '+';
        if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o'))
                return text[2] != '\0' &&
                       text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
        digits = strspn(text, "0123456789");
        text += digits;
        if (*text == '.') {
                text++;
                digits += strspn(text, "0123456789");
                text += strspn(text, "0123456789");
        }
        if (digits > 0 && (*text == 'e' || *text == 'E')) {
                text++;
                text += *text == '-' || *text == '+';
                text += strspn(text, "0123456789");
        }
        return digits > 0 && *text == '\0';
}

static const char *kind_found(const Node *node) {
        bool ignored;

        if (node->kind == NODE_LIST)
                return "a list";
        if (node->kind == NODE_MAP)
                return "a map";
        if (is_null(node))
                return "nothing";
        if (is_bool(node, &ignored))
                return "true or false";
        return is_number(node) ? "a number" : "text";
}

static const char *kind_wanted(KeyKind kind) {
        static const char *const wanted[] = {
                [KEY_TEXT] = "text",
                [KEY_SCALAR] = "text",
                [KEY_BOOL] = "true or false",
                [KEY_NUMBER] = "a number",
                [KEY_CHOICE] = "text",
                [KEY_TEXTS] = "a list of texts",
                [KEY_NUMBERS] = "a list of numbers",
                [KEY_MATCHER] = "a pattern or a map",
                [KEY_MAP] = "a map",
                [KEY_MAPS] = "a list of maps",
                [KEY_NAMED] = "a map",
                [KEY_NAMED_MATCHERS] = "a map",
                [KEY_ANYTHING] = "a map",
        };

        return wanted[kind];
}

static const char *hint(const Node *node, KeyKind kind) {
        bool is_list = kind == KEY_TEXTS || kind == KEY_NUMBERS || kind == KEY_MAPS;
        bool is_map = kind == KEY_MAP || kind == KEY_NAMED || kind == KEY_NAMED_MATCHERS;

        if (is_null(node))
                return is_list  ? "; write [] for an empty list"
                       : is_map ? "; write {} for an empty map"
                                : "";
        if ((kind == KEY_TEXT || kind == KEY_CHOICE) && node->kind == NODE_SCALAR)
                return "; put it in quotes";
        if (is_list && node->kind == NODE_SCALAR)
                return "; write one item a line, each after '- '";
        if (kind == KEY_BOOL || kind == KEY_NUMBER)
                return node->kind == NODE_SCALAR && node->quoted ? "; leave out the quotes" : "";
        return "";
}

/* The same of one item of a list. */
static int report_item(const Node *node, const char *name, KeyKind kind, Diagnostics *diagnostics) {
        return diagnostics_add(diagnostics, node->position, "each of '%s' must be %s, not %s%s",
                name, kind_wanted(kind), kind_found(node), hint(node, kind));
}

static int report_type(const Node *node, const char *name, KeyKind kind, Diagnostics *diagnostics) {
        return diagnostics_add(diagnostics, node->position, "'%s' must be %s, not %s%s", name,
                kind_wanted(kind), kind_found(node), hint(node, kind));
}

/* ---- scalars ---- */

bool read_is_text(const Node *node) {
        bool ignored;

        if (node->kind != NODE_SCALAR)
                return false;
        return node->quoted || !(is_null(node) || is_bool(node, &ignored) || is_number(node));
}

static int read_number(Node *node, const Key *key, Diagnostics *diagnostics) {
        char value[DIAGNOSTIC_VALUE_MAX];
        uint64_t number;

        if (!is_number(node) && key->kind == KEY_NUMBERS)
                return report_item(node, key->name, KEY_NUMBER, diagnostics);
        if (!is_number(node))
                return report_type(node, key->name, KEY_NUMBER, diagnostics);
        if (!number_parse(node->text, strlen(node->text), key->maximum, &number) ||
                number < key->minimum) {
                (void)diagnostic_value(node->text, value);
                if (key->minimum == key->maximum)
                        return diagnostics_add(diagnostics, node->position,
                                "'%s' must be %u, not %s", key->name, key->minimum, value);
                return diagnostics_add(diagnostics, node->position,
                        "%s'%s' must be a whole number from %u to %u, not %s",
                        key->kind == KEY_NUMBERS ? "each of " : "", key->name, key->minimum,
                        key->maximum, value);
        }
        node->value = (uint32_t)number;
        return 0;
}

/* "a, b or c"; empty words are not offered. */
static void list_choices(const char *const *choices, char *ret_text, size_t room) {
        size_t used = 0, first = choices[0] != NULL && choices[0][0] == '\0' ? 1 : 0;

        ret_text[0] = '\0';
        for (size_t i = first; choices[i] != NULL && used < room; i++) {
                const char *separator = i == first ? "" : choices[i + 1] == NULL ? " or " : ", ";
                int n = snprintf(ret_text + used, room - used, "%s%s", separator, choices[i]);

                used += n > 0 ? (size_t)n : 0;
        }
}

static int read_choice(Node *node, const Key *key, Diagnostics *diagnostics) {
        char value[DIAGNOSTIC_VALUE_MAX], choices[128];
        const char *guess;

        assert(key->choices != NULL);
        if (!read_is_text(node))
                return report_type(node, key->name, KEY_CHOICE, diagnostics);
        for (uint32_t i = 0; key->choices[i] != NULL; i++)
                if (strcmp(key->choices[i], node->text) == 0) {
                        node->value = i + 1;
                        return 0;
                }
        list_choices(key->choices, choices, sizeof(choices));
        guess = keys_guess_word(key->choices, node->text);
        return diagnostics_add(diagnostics, node->position, "unknown %s '%s' (expected %s)%s%s%s",
                key->name, diagnostic_value(node->text, value), choices,
                guess != NULL ? "; did you mean '" : "", guess != NULL ? guess : "",
                guess != NULL ? "'?" : "");
}

static int read_bool(Node *node, const Key *key, Diagnostics *diagnostics) {
        bool value;

        if (!is_bool(node, &value))
                return report_type(node, key->name, KEY_BOOL, diagnostics);
        node->value = value;
        return 0;
}

static int read_items(const Node *list, const Key *key, Diagnostics *diagnostics) {
        int r = 0;

        if (list->kind != NODE_LIST)
                return report_type(list, key->name, key->kind, diagnostics);
        for (Node *item = list->first; item != NULL; item = item->next) {
                if (key->kind == KEY_NUMBERS)
                        r |= read_number(item, key, diagnostics);
                else if (key->kind == KEY_TEXTS && !read_is_text(item))
                        r |= report_item(item, key->name, KEY_TEXT, diagnostics);
                else if (key->kind == KEY_MAPS && item->kind != NODE_MAP)
                        r |= report_item(item, key->name, KEY_MAP, diagnostics);
        }
        return r;
}

static int read_value(Node *node, const Key *key, Diagnostics *diagnostics) {
        switch (key->kind) {
        case KEY_TEXT:
                return read_is_text(node) ? 0 : report_type(node, key->name, key->kind, diagnostics);
        case KEY_SCALAR:
                return read_is_text(node) || is_number(node)
                               ? 0
                               : report_type(node, key->name, key->kind, diagnostics);
        case KEY_BOOL:
                return read_bool(node, key, diagnostics);
        case KEY_NUMBER:
                return read_number(node, key, diagnostics);
        case KEY_CHOICE:
                return read_choice(node, key, diagnostics);
        case KEY_TEXTS:
        case KEY_NUMBERS:
        case KEY_MAPS:
                return read_items(node, key, diagnostics);
        case KEY_MATCHER:
                return node->kind == NODE_MAP || read_is_text(node)
                               ? 0
                               : report_type(node, key->name, key->kind, diagnostics);
        case KEY_MAP:
        case KEY_NAMED:
        case KEY_NAMED_MATCHERS:
                return node->kind == NODE_MAP
                               ? 0
                               : report_type(node, key->name, key->kind, diagnostics);
        case KEY_ANYTHING:
        default:
                return 0;
        }
}

/* ---- maps ---- */

static int report_unknown(const Node *name, const KeySection *section, Diagnostics *diagnostics) {
        const char *guess = keys_guess(section, name->text);
        char value[DIAGNOSTIC_VALUE_MAX];

        return diagnostics_add(diagnostics, name->position, "unknown key '%s' in %s%s%s%s",
                diagnostic_value(name->text, value), section->title,
                guess != NULL ? "; did you mean '" : "", guess != NULL ? guess : "",
                guess != NULL ? "'?" : "");
}

static int report_repeated(const Node *name, const Node *first, Diagnostics *diagnostics) {
        char value[DIAGNOSTIC_VALUE_MAX];

        (void)diagnostic_value(name->text, value);
        if (strcmp(name->text, first->text) != 0)
                return diagnostics_add(diagnostics, name->position,
                        "key '%s' is the same as '%s' in line %u", value, first->text,
                        first->position.line);
        return diagnostics_add(diagnostics, name->position,
                "key '%s' is given twice; the first is in line %u", value, first->position.line);
}

static Draft *slot_of(void *draft, const Key *key) {
        return (Draft *)(void *)((char *)draft + key->offset);
}

static int require(const Node *map, const KeySection *section, const Node *const *seen,
        Diagnostics *diagnostics) {
        int r = 0;

        for (size_t i = 0; i < section->count; i++)
                if (section->keys[i].required && seen[i] == NULL)
                        r |= diagnostics_add(diagnostics, map->position, "'%s' is missing in %s",
                                section->keys[i].name, section->title);
        return r;
}

#define KEYS_MAX 32U /* of any section */

int read_section(
        const Node *map, const KeySection *section, void *ret_draft, Diagnostics *diagnostics) {
        const Node *seen[KEYS_MAX] = { NULL };
        int r = 0;

        memset(ret_draft, 0, section->size);
        for (Node *name = map->first; name != NULL; name = name->next->next) {
                Node *value = name->next;
                const Key *key = keys_find(section, name->text);
                size_t number;

                if (key == NULL) {
                        r |= report_unknown(name, section, diagnostics);
                        continue;
                }
                number = (size_t)(key - section->keys);
                if (seen[number] != NULL) {
                        r |= report_repeated(name, seen[number], diagnostics);
                        continue;
                }
                seen[number] = name;
                if (read_value(value, key, diagnostics) < 0)
                        r = -1;
                else
                        *slot_of(ret_draft, key) = value;
        }
        return r | require(map, section, seen, diagnostics);
}

int read_matcher(const Node *node, DraftMatcher *ret_draft, Diagnostics *diagnostics) {
        if (node->kind == NODE_MAP)
                return read_section(node, &keys_matcher, ret_draft, diagnostics);
        if (!read_is_text(node))
                return report_type(node, "matcher", KEY_MATCHER, diagnostics);
        *ret_draft = (DraftMatcher){ .glob = node };
        return 0;
}

/* ---- names ---- */

typedef struct Name {
        const Node *node;
} Name;

static int compare_names(const void *a, const void *b) {
        const Node *left = ((const Name *)a)->node, *right = ((const Name *)b)->node;
        int order = strcmp(left->text, right->text);

        return order != 0 ? order : position_compare(left->position, right->position);
}

static int check_name(const Node *name, Diagnostics *diagnostics) {
        size_t size = strlen(name->text);

        if (size == 0 || is_null(name))
                return diagnostics_add(diagnostics, name->position, "a name is empty");
        if (size > NAME_SIZE_MAX)
                return diagnostics_add(diagnostics, name->position,
                        "a name is longer than %u bytes", NAME_SIZE_MAX);
        return 0;
}

int read_names(Arena *arena, const Node *map, Diagnostics *diagnostics) {
        Name *names = arena_array(arena, map->count, sizeof(*names));
        uint32_t count = 0;
        int r = 0;

        if (names == NULL)
                return diagnostics_add(
                        diagnostics, map->position, "the file takes more memory than a policy may");
        for (const Node *name = map->first; name != NULL; name = name->next->next) {
                names[count++].node = name;
                r |= check_name(name, diagnostics);
        }
        qsort(names, count, sizeof(*names), compare_names);
        for (uint32_t i = 1; i < count; i++)
                if (strcmp(names[i - 1].node->text, names[i].node->text) == 0)
                        r |= report_repeated(names[i].node, names[i - 1].node, diagnostics);
        return r;
}
