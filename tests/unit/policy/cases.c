/* SPDX-License-Identifier: Apache-2.0 */

/*
 * tests/data/policy/NAME.cases: policies, with what has to be said about them word for word.
 *
 *   === what the case is about
 *   the text; <FF>, <TAB>, <NUL>, <CR>, <ESC> stand for bytes
 *   --- ok | refused
 *   LINE:COLUMN: text of an error, or kind and text of a finding
 *
 * Lines before the first case are comments.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "policy/parse.h"
#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define SAID_MAX 16384U
#define CASE_MARK "=== "
#define VERDICT_MARK "\n--- "

typedef struct Said {
        char text[SAID_MAX]; /* the verdict, then a line for each error or finding */
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

static void parse(const char *text, size_t size, Said *said) {
        cleanup(policy_unrefp) Policy *policy = NULL;
        Diagnostics diagnostics;

        if (policy_parse(text, size, &policy, &diagnostics) < 0) {
                say(said, "refused\n");
                for (uint32_t i = 0; i < diagnostics.count; i++) {
                        say_place(said, diagnostics.items[i].position);
                        say(said, "%s\n", diagnostics.items[i].text);
                }
                return;
        }
        say(said, "ok\n");
        for (uint32_t i = 0; i < policy->finding_count; i++) {
                say_place(said, policy->findings[i].position);
                say(said, "%s: %s\n", policy_finding_name(policy->findings[i].kind),
                        policy->findings[i].text);
        }
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

/* `block` is one case without its mark; it is taken apart. */
static bool check(const char *file, char *block) {
        char *text = strchr(block, '\n') + 1, *verdict = strstr(text - 1, VERDICT_MARK);
        Said said = { .size = 0 };
        size_t size;

        if (verdict == NULL)
                fail_msg("%s: a case without verdict: %s", file, block);
        text[-1] = '\0';
        /* the newline that ends the text is part of it, unless the text is empty */
        size = verdict < text ? 0 : (size_t)(verdict + 1 - text);
        verdict += strlen(VERDICT_MARK);
        text = strndup(text, size);
        assert_non_null(text);
        parse(text, resolve_bytes(text), &said);
        free(text);
        if (strcmp(said.text, verdict) == 0)
                return true;
        print_error("%s: %s\nexpected: %ssaid: %s\n", file, block, verdict, said.text);
        return false;
}

static unsigned check_file(const char *file, unsigned *failed) {
        cleanup_free char *text = NULL;
        size_t size;
        unsigned count = 0;
        char *block, *next;

        assert_int_equal(file_read(AT_FDCWD, file, FILE_MAX, &text, &size, NULL), 0);
        for (block = strstr(text, CASE_MARK); block != NULL; block = next) {
                next = strstr(block + 1, "\n" CASE_MARK);
                if (next != NULL)
                        *++next = '\0'; /* the newline in front of the next mark ends this case */
                *failed += !check(file, block + strlen(CASE_MARK));
                count++;
                if (next != NULL)
                        *next = CASE_MARK[0];
        }
        return count;
}

static void says_what_it_should(void **state) {
        static const char *const files[] = {
                "tests/data/policy/document.cases",
                "tests/data/policy/endpoints.cases",
                "tests/data/policy/filesystem.cases",
                "tests/data/policy/hosts.cases",
                "tests/data/policy/process.cases",
                "tests/data/policy/requests.cases",
        };
        unsigned count = 0, failed = 0;

        for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
                count += check_file(files[i], &failed);
        print_message("%u cases, %u failed\n", count, failed);
        assert_int_equal(failed, 0);
        assert_true(count >= 150); /* all of them were found */
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_it_should) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
