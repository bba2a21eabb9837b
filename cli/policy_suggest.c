/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What was denied becomes rules that a person can paste, and what no rule should answer is said
 * with the reason. Each rule is judged as a policy of its own before it is printed, by the parser
 * and the decision that egress uses and under the node's ceiling: what they would refuse is not
 * suggested, and neither is anything that an address was refused for.
 */
#include "cli/attempts.h"
#include "cli/audit.h"
#include "cli/policy.h"
#include "cli/policy_file.h"
#include "cli/suggestion.h"

#include "policy/decide.h"
#include "policy/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "version: 1\n"
#define NOT_SUGGESTED_SHOWN 20U

/* ---- judging ---- */

/* A suggestion as a whole policy. */
static int make_policy(const Attempts *attempts, PolicyFile *ret_file, Error *error) {
        cleanup_free char *rules = NULL;
        size_t size = 0;

        *ret_file = (PolicyFile){ .name = "the suggestion" };
        if (suggestion_write(attempts, &rules, &size, error) < 0)
                return -1;
        if (asprintf(&ret_file->text, VERSION "%s", rules) < 0)
                return error_set(error, ERROR_OS, 0, "cannot write the suggestion");
        ret_file->size = strlen(VERSION) + size;
        if (policy_parse(
                    ret_file->text, ret_file->size, &ret_file->policy, &ret_file->diagnostics) < 0)
                return error_set(error, ERROR_INPUT, 0, "%s", ret_file->diagnostics.items[0].text);
        return 0;
}

static PolicyDecision decide(
        const Policy *policy, const Attempt *attempt, char text[static ATTEMPT_TEXT_MAX]) {
        const PolicyProgram program = { .path = attempt->binary };
        const PolicyRequest request = { .host = attempt->host,
                .port = attempt->port,
                .programs = &program,
                .program_count = 1 };
        const PolicyDecision decision = policy_decide(policy, &request);

        policy_decision_text(&decision, &request, text, ATTEMPT_TEXT_MAX);
        return decision;
}

/* Whether a rule for this alone is valid and lets it through. */
static void judge(Attempt *attempt, const char *ceiling) {
        Attempts one = { .items = { attempt }, .count = 1 };
        cleanup(policy_file_donep) PolicyFile file = { 0 };
        char text[ATTEMPT_TEXT_MAX];
        Error error = { 0 };

        if (make_policy(&one, &file, &error) < 0)
                (void)snprintf(attempt->why_not, sizeof(attempt->why_not), "%s", error.text);
        else if (policy_file_bound(&file, ceiling) != VERB_YES)
                (void)snprintf(
                        attempt->why_not, sizeof(attempt->why_not), "the ceiling cannot be read");
        else if (!decide(file.policy, attempt, text).allowed)
                memcpy(attempt->why_not, text, sizeof(text));
}

/* What the policy says already, or has come to say since, needs no rule. */
static void compare_with(const PolicyFile *now, Attempt *attempt) {
        char text[ATTEMPT_TEXT_MAX];
        const PolicyDecision decision = decide(now->policy, attempt, text);

        if (decision.allowed && !decision.recorded)
                (void)snprintf(
                        attempt->why_not, sizeof(attempt->why_not), "%.200s allows it", now->name);
}

static void judge_all(Attempts *attempts, const char *ceiling, const PolicyFile *now) {
        for (size_t i = 0; i < attempts->count; i++) {
                if (attempts->items[i]->why_not[0] == '\0' && now->policy != NULL)
                        compare_with(now, attempts->items[i]);
                if (attempts->items[i]->why_not[0] == '\0')
                        judge(attempts->items[i], ceiling);
        }
}

/* ---- saying ---- */

static void print_plain(const char *text) {
        for (; *text != '\0'; text++)
                fputc(*text < 0x20 || *text > 0x7e ? '?' : *text, stderr);
}

static void print_attempt(const Attempt *attempt) {
        fputs("not suggested: ", stderr);
        print_plain(attempt->host);
        if (attempt->port != 0)
                fprintf(stderr, ":%u", attempt->port);
        if (attempt->binary[0] != '\0') {
                fputs(" for ", stderr);
                print_plain(attempt->binary);
        }
        fprintf(stderr, " (%" PRIu64 " time%s): ", attempt->count, attempt->count == 1 ? "" : "s");
        print_plain(attempt->why_not);
        fputc('\n', stderr);
}

/* A look-up of a name that a rule was found for says nothing new. */
static bool is_answered(const Attempts *attempts, const Attempt *attempt) {
        if (attempt->port != 0 || attempt->binary[0] != '\0')
                return false;
        for (size_t i = 0; i < attempts->count; i++)
                if (attempts->items[i]->why_not[0] == '\0' &&
                        strcmp(attempts->items[i]->host, attempt->host) == 0)
                        return true;
        return false;
}

static void print_rest(const Attempts *attempts) {
        size_t rest = 0;

        for (size_t i = 0; i < attempts->count; i++) {
                if (attempts->items[i]->why_not[0] == '\0' ||
                        is_answered(attempts, attempts->items[i]))
                        continue;
                if (++rest <= NOT_SUGGESTED_SHOWN)
                        print_attempt(attempts->items[i]);
        }
        if (rest > NOT_SUGGESTED_SHOWN)
                fprintf(stderr, "and %zu more kinds that are not suggested\n",
                        rest - NOT_SUGGESTED_SHOWN);
        if (attempts->beyond > 0)
                fprintf(stderr,
                        "only the first %u kinds were looked at; %" PRIu64
                        " lines were of others\n",
                        ATTEMPTS_MAX, attempts->beyond);
}

static int print_suggestion(const Attempts *attempts, const char *title) {
        cleanup(policy_file_donep) PolicyFile file = { 0 };
        Error error = { 0 };

        if (make_policy(attempts, &file, &error) < 0) {
                fprintf(stderr, "%s: the suggestion is not valid: %s\n", title, error.text);
                return VERB_ERROR;
        }
        if (file.policy->network_count == 0) {
                fprintf(stderr, "%s: there is nothing to suggest\n", title);
                return VERB_NO;
        }
        policy_file_print_findings(&file);
        fputs(file.text + strlen(VERSION), stdout);
        return VERB_YES;
}

/* ---- the verb ---- */

static bool take_line(void *context, const AuditLine *line) {
        return attempts_add(context, line);
}

static int read_all(const Invocation *invocation, Attempts *attempts) {
        Error error = { 0 };
        int r = 0;

        if (invocation->count == 0)
                r = audit_read(NULL, take_line, attempts, &error);
        for (int i = 0; r == 0 && i < invocation->count; i++)
                r = audit_read(invocation->arguments[i], take_line, attempts, &error);
        if (r < 0)
                fprintf(stderr, "%s: %s\n", invocation->title, error.text);
        return r < 0 ? VERB_ERROR : VERB_YES;
}

int policy_suggest(const Invocation *invocation) {
        const char *policy = verb_value(invocation, "policy"),
                   *ceiling = verb_value(invocation, "ceiling");
        cleanup(policy_file_donep) PolicyFile now = { 0 };
        cleanup(attempts_donep) Attempts attempts = { 0 };
        int code = policy != NULL ? policy_file_load(policy, ceiling, &now) : VERB_YES;

        if (code == VERB_YES && policy == NULL && ceiling != NULL)
                code = policy_file_load(ceiling, NULL, &now) == VERB_YES ? VERB_YES : VERB_ERROR;
        if (policy == NULL)
                now.policy =
                        policy_unref(now.policy); /* it was only asked whether it can be read */
        if (code == VERB_YES)
                code = read_all(invocation, &attempts);
        if (code != VERB_YES)
                return code == VERB_NO ? VERB_ERROR : code;
        judge_all(&attempts, ceiling, &now);
        code = print_suggestion(&attempts, invocation->title);
        print_rest(&attempts);
        return code;
}
