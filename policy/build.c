/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Findings are kept as a list until their number is known. Texts of the file come into them, so
 * they are made printable here, once.
 */
#include "policy/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct Finding {
        PolicyFinding finding;
        Finding *next;
};

int build_error(Build *build, PolicyPosition position, const char *format, ...) {
        char text[DIAGNOSTIC_TEXT_MAX];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        return diagnostics_add(build->diagnostics, position, "%s", text);
}

int build_no_memory(Build *build) {
        return build_error(
                build, (PolicyPosition){ 0 }, "the file takes more memory than a policy may");
}

static void make_printable(char *text) {
        for (; *text != '\0'; text++)
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        *text = '?';
}

void build_find(
        Build *build, PolicyFindingKind kind, PolicyPosition position, const char *format, ...) {
        char text[DIAGNOSTIC_TEXT_MAX];
        Finding *item;
        va_list args;

        if (++build->findings > FINDINGS_MAX)
                return;
        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        make_printable(text);

        item = arena_alloc(build->arena, sizeof(*item));
        if (item == NULL)
                return; /* the arena is full: sealing the policy fails for the same reason */
        item->finding = (PolicyFinding){ .kind = kind,
                .position = position,
                .text = arena_text(build->arena, text, strlen(text)) };
        if (build->last_finding != NULL)
                build->last_finding->next = item;
        else
                build->first_finding = item;
        build->last_finding = item;
}

int build_store_findings(Build *build) {
        uint32_t kept = build->findings < FINDINGS_MAX ? build->findings : FINDINGS_MAX, count = 0;
        PolicyFinding *findings = arena_array(build->arena, kept + 1, sizeof(*findings));
        char more[64];

        if (findings == NULL)
                return build_no_memory(build);
        for (const Finding *item = build->first_finding; item != NULL; item = item->next)
                findings[count++] = item->finding;
        if (build->findings > kept) {
                int size = snprintf(
                        more, sizeof(more), "and %u more of these", build->findings - kept);

                findings[count++] = (PolicyFinding){ .kind = POLICY_FINDING_WARNING,
                        .text = arena_text(build->arena, more, (size_t)size) };
        }
        for (uint32_t i = 0; i < count; i++)
                if (findings[i].text == NULL)
                        return build_no_memory(build);
        build->policy->findings = findings;
        build->policy->finding_count = count;
        return 0;
}

void build_report_accepted(Build *build, const KeySection *section, const void *draft) {
        for (size_t i = 0; i < section->count; i++) {
                const Key *key = &section->keys[i];
                Draft node = *(const Draft *)(const void *)((const char *)draft + key->offset);

                if (key->effect == KEY_ACCEPTED && node != NULL &&
                        !(key->kind == KEY_BOOL && node->value == 0))
                        build_find(build, POLICY_FINDING_UNENFORCED, node->position,
                                "'%s' is accepted and not enforced here: %s", key->name,
                                key->reason);
        }
}

bool build_says_something(const Key *key, const Node *node) {
        if (key->kind == KEY_BOOL || key->kind == KEY_NUMBER)
                return node->value != 0;
        if (key->kind == KEY_TEXT || key->kind == KEY_CHOICE)
                return node->text[0] != '\0';
        return true;
}

const char *build_text(Build *build, const Node *node) {
        const char *text = node != NULL ? node->text : "";
        const char *copy = arena_text(build->arena, text, strlen(text));

        if (copy == NULL)
                (void)build_no_memory(build);
        return copy;
}

int build_texts(
        Build *build, const Node *list, const char *const **ret_texts, uint32_t *ret_count) {
        uint32_t count = list != NULL ? list->count : 0, used = 0;
        const char **texts = arena_array(build->arena, count, sizeof(*texts));

        if (texts == NULL)
                return build_no_memory(build);
        for (const Node *item = list != NULL ? list->first : NULL; item != NULL;
                item = item->next) {
                texts[used] = build_text(build, item);
                if (texts[used++] == NULL)
                        return -1;
        }
        *ret_texts = texts;
        *ret_count = used;
        return 0;
}
