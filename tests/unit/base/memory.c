/* SPDX-License-Identifier: Apache-2.0 */

#include "base/memory.h"

#include "tests/helpers/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long resident(void) {
        FILE *file = fopen("/proc/self/smaps_rollup", "re");
        char line[256];
        long kib = -1;

        assert_non_null(file);
        while (kib < 0 && fgets(line, sizeof(line), file) != NULL)
                if (strncmp(line, "Rss:", 4) == 0)
                        kib = strtol(line + 4, NULL, 10);
        assert_int_equal(fclose(file), 0);
        return kib;
}

static int written = 1;

static void code_goes_and_what_was_written_stays(void **state) {
        char *heap = strdup("still here");
        long before, after;

        written = 42;
        before = resident();
        memory_let_go_of_code();
        after = resident();
        assert_true(before > 0 && after > 0);
        assert_true(after < before);
        assert_int_equal(written, 42);
        assert_string_equal(heap, "still here");
        free(heap);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(code_goes_and_what_was_written_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
