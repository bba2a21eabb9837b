/* SPDX-License-Identifier: Apache-2.0 */

/* navigator: the command line. Everything it can do is in the verb table, cli/verbs.c. */
#include "cli/exec.h"
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

/* `navigator`, also as kubectl's plugin; everything else is a program to run in the sandbox. */
static bool is_another_name(const char *path) {
        const char *slash = strrchr(path, '/');
        const char *name = slash != NULL ? slash + 1 : path;

        return strcmp(name, "navigator") != 0 && strncmp(name, "kubectl-", 8) != 0;
}

int main(int argc, char **argv) {
        int code;

        if (argc > 0 && is_another_name(argv[0]))
                return exec_by_name(argc, argv);
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
