/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Markdown that is read twice: as a page, and as a manual page by lowdown.
 */
#include "policy/reference.h"

#include "policy/keys.h"

#include <string.h>

/* Sections in the order in which a reader meets them. */
static const KeySection *const sections[] = {
        &keys_policy,
        &keys_filesystem,
        &keys_landlock,
        &keys_process,
        &keys_network,
        &keys_binary,
        &keys_endpoint,
        &keys_rule,
        &keys_allow,
        &keys_deny,
        &keys_matcher,
        &keys_operation,
        &keys_binding,
        &keys_json_rpc,
        &keys_mcp,
        &keys_inference,
        NULL,
};

static void print_number(FILE *out, const Key *key) {
        if (key->minimum == key->maximum)
                fprintf(out, "%u", key->minimum);
        else if (key->maximum == UINT32_MAX)
                fputs("number", out);
        else
                fprintf(out, "number %u..%u", key->minimum, key->maximum);
}

static void print_choices(FILE *out, const Key *key) {
        for (size_t i = 0; key->choices[i] != NULL; i++) {
                fputs(i > 0 ? ", " : "one of ", out);
                if (key->choices[i][0] == '\0')
                        fputs("\"\"", out);
                else
                        fprintf(out, "`%s`", key->choices[i]);
        }
}

static void print_kind(FILE *out, const Key *key) {
        switch (key->kind) {
        case KEY_BOOL:
                fputs("true or false", out);
                break;
        case KEY_NUMBER:
                print_number(out, key);
                break;
        case KEY_CHOICE:
                print_choices(out, key);
                break;
        case KEY_TEXTS:
                fputs("list of text", out);
                break;
        case KEY_NUMBERS:
                fputs("list: each ", out);
                print_number(out, key);
                break;
        case KEY_MATCHER:
                fprintf(out, "text, or a map: %s", key->section->title);
                break;
        case KEY_MAP:
                fprintf(out, "map: %s", key->section->title);
                break;
        case KEY_MAPS:
                fprintf(out, "list of maps: %s", key->section->title);
                break;
        case KEY_NAMED:
                fprintf(out, "map from names to maps: %s", key->section->title);
                break;
        case KEY_NAMED_MATCHERS:
                fprintf(out, "map from names to text, or to maps: %s", key->section->title);
                break;
        case KEY_ANYTHING:
                fputs("map", out);
                break;
        case KEY_SCALAR:
        case KEY_TEXT:
        default:
                fputs("text", out);
                break;
        }
}

/* What is not simply enforced. */
static void print_effect(FILE *out, const Key *key) {
        switch (key->effect) {
        case KEY_ACCEPTED:
                fprintf(out, " Accepted, not enforced here: %s.", key->reason);
                break;
        case KEY_REFUSED:
                fprintf(out, " Refused unless it is empty: %s.", key->reason);
                break;
        case KEY_INSPECTION:
        case KEY_ENFORCED:
        default:
                break;
        }
}

/* In Markdown a plain '*' could begin emphasis and '<' a tag. */
static void print_help(FILE *out, const char *text) {
        for (; *text != '\0'; text++) {
                if (strchr("*<_", *text) != NULL)
                        fputc('\\', out);
                fputc(*text, out);
        }
}

static void print_key(FILE *out, const Key *key) {
        fprintf(out, "- `%s`", key->name);
        if (key->former != NULL)
                fprintf(out, " (in older files `%s`)", key->former);
        fputs(": ", out);
        print_kind(out, key);
        if (key->required)
                fputs("; needed", out);
        else if (key->initial != NULL)
                fprintf(out, "; default: %s", key->initial);
        fputs(". ", out);
        print_help(out, key->help);
        print_effect(out, key);
        fputc('\n', out);
}

static bool all_about_requests(const KeySection *section) {
        for (size_t i = 0; i < section->count; i++)
                if (section->keys[i].effect != KEY_INSPECTION)
                        return false;
        return true;
}

void reference_print(FILE *out) {
        for (size_t i = 0; sections[i] != NULL; i++) {
                const KeySection *section = sections[i];

                fprintf(out, "%s### %s\n", i > 0 ? "\n" : "", section->title);
                if (section->help != NULL) {
                        fputc('\n', out);
                        print_help(out, section->help);
                        fputc('\n', out);
                }
                if (all_about_requests(section))
                        fputs("\nOnly under a `protocol` that reads requests.\n", out);
                fputc('\n', out);
                for (size_t j = 0; j < section->count; j++)
                        print_key(out, &section->keys[j]);
        }
}
