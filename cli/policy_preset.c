/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Values are put into a preset as lines of YAML, so each has to be a plain host name before: see
 * preset_render().
 */
#include "cli/policy.h"
#include "cli/python_index.h"

#include "base/cleanup.h"
#include "policy/presets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 32U

static int list_presets(void) {
        for (const Preset *preset = presets; preset->name != NULL; preset++) {
                size_t size;
                const char *summary = preset_summary(preset, &size);

                printf("%-14s %.*s\n", preset->name, (int)size, summary);
        }
        return VERB_YES;
}

/* The hosts of "a,b" and of the index, as one list. `words` is taken apart. */
static void collect_hosts(
        char *words, const PythonIndex *index, const char *ret_hosts[static HOSTS_MAX + 1]) {
        size_t count = 0;

        for (char *word = strsep(&words, ","); word != NULL && count < HOSTS_MAX;
                word = strsep(&words, ","))
                ret_hosts[count++] = word;
        for (unsigned i = 0; i < index->count && count < HOSTS_MAX; i++)
                ret_hosts[count++] = index->hosts[i];
        ret_hosts[count] = NULL;
}

int policy_preset(const Invocation *invocation) {
        const char *given = verb_value(invocation, "python-index");
        cleanup(python_index_donep) PythonIndex index = { 0 };
        cleanup_free char *words = given != NULL ? strdup(given) : NULL;
        cleanup_free char *text = NULL;
        const char *hosts[HOSTS_MAX + 1] = { NULL };
        const Preset *preset;
        Error error = { 0 };

        if (invocation->count == 0)
                return list_presets();
        preset = preset_find(invocation->arguments[0]);
        if (preset == NULL)
                return verb_misused(invocation,
                        "there is no preset '%s'; without a name this lists them",
                        invocation->arguments[0]);
        if (verb_value(invocation, "python-index-from-pip") != NULL &&
                python_index_ask(&index, &error) < 0) {
                fprintf(stderr, "%s: %s\n", invocation->title, error.text);
                return VERB_ERROR;
        }
        collect_hosts(words, &index, hosts);
        if (preset_render(preset, hosts, &text, &error) < 0)
                return verb_misused(invocation, "%s", error.text);
        fputs(text, stdout);
        return VERB_YES;
}
