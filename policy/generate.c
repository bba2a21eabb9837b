/* SPDX-License-Identifier: Apache-2.0 */

/* Writes what is made from the key table: `schema` or `reference`. A tool of the build, not
 * installed. */
#include "policy/json.h"
#include "policy/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
        if (argc == 2 && strcmp(argv[1], "reference") == 0) {
                reference_print(stdout);
        } else if (argc == 2 && strcmp(argv[1], "schema") == 0) {
                cleanup_free char *text = json_schema();

                if (text == NULL)
                        return 1;
                puts(text);
        } else {
                fprintf(stderr, "usage: %s schema|reference\n", argv[0]);
                return 2;
        }
        return fflush(stdout) == 0 ? 0 : 1;
}
