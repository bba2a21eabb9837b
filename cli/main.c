/* SPDX-License-Identifier: Apache-2.0 */

/* navigator: the command line. Everything it can do is in the verb table, cli/verbs.c. */
#include "cli/exec.h"
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* Our own name, and the one under which kubectl finds its plugins. */
static int is_our_name(const char *name) {
        return strcmp(name, "navigator") == 0 || strncmp(name, "kubectl-", 8) == 0;
}

static const char *last_part(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash != NULL ? slash + 1 : path;
}

int main(int argc, char **argv) {
        int code;

        /* In the sidecar's container a workload's root can be our uid: it must not get in by us. */
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        if (argc > 0 && !is_our_name(last_part(argv[0])))
                return exec_as_program(argv);
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
