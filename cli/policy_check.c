/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Of several files each is judged, and the worst is the exit code.
 */
#include "cli/policy.h"
#include "cli/policy_file.h"

#include "policy/json.h"

#include <stdio.h>
#include <stdlib.h>

static int check_text(const Invocation *invocation, const char *name) {
        cleanup(policy_file_donep) PolicyFile file = { 0 };
        int code = policy_file_load(name, verb_value(invocation, "ceiling"), &file);

        if (code == VERB_YES) {
                policy_file_print_findings(&file);
                printf("%s: valid\n", file.name);
        }
        return code;
}

static int check_json(const Invocation *invocation, const char *name) {
        cleanup(policy_file_donep) PolicyFile file = { 0 };
        cleanup_free char *text = NULL;
        int code = policy_file_read(name, &file);

        if (code == VERB_YES)
                code = policy_file_bound(&file, verb_value(invocation, "ceiling"));
        if (code == VERB_ERROR)
                return code;
        text = json_check(file.name, file.policy, &file.diagnostics);
        if (text == NULL)
                return VERB_ERROR;
        puts(text);
        return code;
}

int policy_check(const Invocation *invocation) {
        int worst = VERB_YES;

        for (int i = 0; i < invocation->count; i++) {
                const char *name = invocation->arguments[i];
                int code = verb_wants_json(invocation) ? check_json(invocation, name)
                                                       : check_text(invocation, name);

                if (code > worst)
                        worst = code;
        }
        return worst;
}
