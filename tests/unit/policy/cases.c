/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tests/data/policy/NAME.cases: policies, with what has to be said about them word for word.
 *
 *   === what the case is about
 *   the text; <FF>, <TAB>, <NUL>, <CR>, <ESC> stand for bytes
 *   --- ok | refused
 *   LINE:COLUMN: text of an error, or kind and text of a finding
 */
#include "tests/helpers/cases.h"

#include "policy/parse.h"
#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID_MAX 16384U

typedef struct Said {
        char text[SAID_MAX]; /* a line for each error or finding */
        size_t size;
} Said;

printf_like(2, 3) static void say(Said *said, const char *format, ...) {
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(said->text + said->size, SAID_MAX - said->size, format, args);
        va_end(args);
        assert_true(n >= 0 && (size_t)n < SAID_MAX - said->size);
        said->size += (size_t)n;
}

static void say_place(Said *said, PolicyPosition position) {
        if (position.line != 0)
                say(said, "%u:%u: ", position.line, position.column);
}

/* The verdict. */
static const char *parse(const char *text, size_t size, Said *said) {
        cleanup(policy_unrefp) Policy *policy = NULL;
        Diagnostics diagnostics;

        if (policy_parse(text, size, &policy, &diagnostics) < 0) {
                for (uint32_t i = 0; i < diagnostics.count; i++) {
                        say_place(said, diagnostics.items[i].position);
                        say(said, "%s\n", diagnostics.items[i].text);
                }
                return "refused";
        }
        for (uint32_t i = 0; i < policy->finding_count; i++) {
                say_place(said, policy->findings[i].position);
                say(said, "%s: %s\n", policy_finding_name(policy->findings[i].kind),
                        policy->findings[i].text);
        }
        return "ok";
}

/* The size of a placeholder at `at`, 0 when there is none. */
static size_t placeholder(const char *at, char *ret_byte) {
        static const struct {
                const char *text;
                char byte;
        } names[] = { { "<TAB>", '\t' }, { "<NUL>", '\0' }, { "<CR>", '\r' }, { "<ESC>", '\x1b' } };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strncmp(at, names[i].text, strlen(names[i].text)) == 0) {
                        *ret_byte = names[i].byte;
                        return strlen(names[i].text);
                }
        if (at[0] != '<' || strspn(at + 1, "0123456789ABCDEF") != 2 || at[3] != '>')
                return 0;
        *ret_byte = (char)strtoul(at + 1, NULL, 16);
        return 4;
}

/* In place; returns the size, because the text may have NULs now. */
static size_t resolve_bytes(char *text) {
        char *end = text;

        for (const char *from = text; *from != '\0';) {
                char byte = *from;
                size_t size = placeholder(from, &byte);

                *end++ = byte;
                from += size > 0 ? size : 1;
        }
        return (size_t)(end - text);
}

static bool check(const Case *item) {
        Said said = { .size = 0 };
        const char *verdict = parse(item->text, resolve_bytes(item->text), &said);

        if (strcmp(verdict, item->word) == 0 && strcmp(said.text, item->expected) == 0)
                return true;
        print_error("%s: %s\nexpected: %s\n%ssaid: %s\n%s\n", item->file, item->name, item->word,
                item->expected, verdict, said.text);
        return false;
}

static void says_what_it_should(void **state) {
        unsigned count = 0;

        count += cases_run("tests/data/policy/document.cases", check);
        count += cases_run("tests/data/policy/filesystem.cases", check);
        count += cases_run("tests/data/policy/process.cases", check);
        count += cases_run("tests/data/policy/hosts.cases", check);
        count += cases_run("tests/data/policy/endpoints.cases", check);
        count += cases_run("tests/data/policy/requests.cases", check);
        assert_true(count >= 350); /* all of them were found */
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_it_should) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
