/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/helpers/cases.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <string.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define CASE_MARK "\n=== "
#define VERDICT_MARK "\n--- "

/* Ends the line that begins at `line` and returns what comes behind it. */
static char *cut_line(char *line) {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        *end = '\0';
        return end + 1;
}

/* `block` is one case without its mark; it is taken apart. */
static bool run_case(const char *file, char *block, CaseCheck *check) {
        char *body = strchr(block, '\n') + 1, *mark = strstr(body - 1, VERDICT_MARK);
        cleanup_free char *text = NULL;
        Case item = { .file = file, .name = block };
        char *word;

        if (mark == NULL)
                fail_msg("%s: a case without verdict: %s", file, block);
        text = strndup(body, mark < body ? 0 : (size_t)(mark + 1 - body));
        assert_non_null(text);
        word = mark + strlen(VERDICT_MARK);
        item.expected = cut_line(word);
        item.text = text;
        item.word = word;
        body[-1] = '\0';
        return check(&item);
}

unsigned cases_run(const char *file, CaseCheck *check) {
        cleanup_free char *text = NULL;
        size_t size;
        unsigned count = 0, failed = 0;
        char *block, *next;

        assert_int_equal(file_read(AT_FDCWD, file, FILE_MAX, &text, &size, NULL), 0);
        for (block = strstr(text, CASE_MARK); block != NULL; block = next) {
                block += strlen(CASE_MARK);
                next = strstr(block, CASE_MARK);
                if (next != NULL)
                        *++next = '\0'; /* behind the newline, which ends this case's last line */
                failed += !run_case(file, block, check);
                count++;
                if (next != NULL)
                        *next-- = CASE_MARK[1];
        }
        print_message("%s: %u cases, %u failed\n", file, count, failed);
        assert_int_equal(failed, 0);
        return count;
}
