/* SPDX-License-Identifier: Apache-2.0 */

/*
 * For reviews and CI jobs: the exit code says whether anything opens, the lines say what.
 */
#include "cli/policy.h"
#include "cli/policy_file.h"

#include "policy/compare.h"
#include "policy/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_changes(const Comparison *comparison, ChangeKind kind, uint32_t count,
        const char *sign, const char *name) {
        for (const Change *change = comparison->first; change != NULL; change = change->next) {
                if (change->kind != kind)
                        continue;
                printf("%s ", sign);
                if (change->position.line != 0)
                        printf("%s:%u:%u: ", name, change->position.line, change->position.column);
                puts(change->text);
        }
        if (count > comparison->listed[kind])
                printf("%s and %u more\n", sign, count - comparison->listed[kind]);
}

static void print_comparison(const Comparison *comparison, const char *old, const char *new) {
        print_changes(comparison, CHANGE_WIDER, comparison->wider, "+", new);
        print_changes(comparison, CHANGE_NARROWER, comparison->narrower, "-", old);
        print_changes(comparison, CHANGE_OTHER, comparison->other, "=", new);
        if (comparison->wider > 0)
                printf("This change opens something: %u wider, %u narrower.\n", comparison->wider,
                        comparison->narrower);
        else if (comparison->narrower > 0)
                printf("This change opens nothing: %u narrower.\n", comparison->narrower);
        else
                puts("This change opens nothing and closes nothing.");
}

int policy_diff(const Invocation *invocation) {
        const char *old_name = invocation->arguments[0], *new_name = invocation->arguments[1];
        cleanup(policy_file_donep) PolicyFile old = { 0 };
        cleanup(policy_file_donep) PolicyFile new = { 0 };
        cleanup(comparison_donep) Comparison comparison = { 0 };
        cleanup_free char *json = NULL;
        Error error = { 0 };
        int old_code, new_code;

        if (strcmp(old_name, "-") == 0 && strcmp(new_name, "-") == 0)
                return verb_misused(invocation, "standard input can be read once only");
        old_code = policy_file_load(old_name, NULL, &old);
        new_code = policy_file_load(new_name, NULL, &new);
        if (old_code != VERB_YES || new_code != VERB_YES)
                return old_code > new_code ? old_code : new_code;
        if (policy_compare(old.policy, new.policy, &comparison, &error) < 0) {
                fprintf(stderr, "%s: %s\n", invocation->title, error.text);
                return VERB_ERROR;
        }
        if (verb_wants_json(invocation)) {
                json = json_comparison(&comparison);
                if (json == NULL)
                        return VERB_ERROR;
                puts(json);
        } else {
                print_comparison(&comparison, old.name, new.name);
        }
        return comparison.wider > 0 ? VERB_NO : VERB_YES;
}
