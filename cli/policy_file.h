/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Policy files for the policy verbs: read, parsed, and their errors shown to the person who wrote
 * them. */
#include <stdbool.h>
#include <stddef.h>

#include "policy/diagnostic.h"
#include "policy/policy.h"

typedef struct PolicyFile {
        const char *name; /* borrowed; what messages call it */
        const char *ceiling; /* borrowed: the file that bounds it; NULL */
        char *text;       /* owned */
        size_t size;
        Policy *policy; /* owned; NULL when the file is not valid */
        Diagnostics diagnostics;
} PolicyFile;

void policy_file_donep(PolicyFile *file);

/* name is a path, also of a pipe such as the shell's <(command), or "-" for standard input.
 * VERB_YES: read and valid; VERB_NO: read, and its diagnostics say what is wrong; VERB_ERROR: it
 * could not be read, which was said. */
int policy_file_read(const char *name, PolicyFile *ret_file);
/* Bounds the policy by another file's; NULL: by none. VERB_YES, or VERB_ERROR, which was said. */
int policy_file_bound(PolicyFile *file, const char *ceiling);
/* Both, and errors are printed. */
int policy_file_load(const char *name, const char *ceiling, PolicyFile *ret_file);

/* "policy.yaml:14:7: unknown key ...", and on a terminal the line with a caret. On stderr. */
void policy_file_print_errors(const PolicyFile *file);
/* "policy.yaml:14:7: warning: ..." for each finding. On stderr. */
void policy_file_print_findings(const PolicyFile *file);
