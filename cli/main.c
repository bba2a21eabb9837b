/* SPDX-License-Identifier: Apache-2.0 */

/* navigator: the command line. Everything it can do is in the verb table, cli/verbs.c. */
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
        int code;

        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                puts("navigator " NAVIGATOR_VERSION);
                return VERB_YES;
        }
        code = verb_main(&verb_root, argc, argv);
        /* what could not be written (a full disk, a closed pipe) was not said */
        if (fflush(stdout) != 0 || ferror(stdout))
                return VERB_ERROR;
        return code;
}
