/* SPDX-License-Identifier: Apache-2.0 */

/*
 * binaries: who may use a network policy's endpoints; and the warnings for an author whose list
 * means more programs than it names. Two things make a list wide: a file that the session can write
 * (any program can be put there), and a shell (it is an ancestor of nearly everything in a
 * session, and an ancestor is enough).
 */
#include "policy/build.h"

#include "base/path.h"
#include "policy/pattern.h"
#include "policy/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY_PROGRAM "/**" /* who writes this knows */

static int build_binary(Build *build, const char *network, const Node *map, PolicyBinary *binary) {
        char normal[POLICY_PATH_SIZE_MAX + 1], value[DIAGNOSTIC_VALUE_MAX];
        DraftBinary draft;
        PathForm form;

        if (read_section(map, &keys_binary, &draft, build->diagnostics) < 0)
                return -1;
        build_report_accepted(build, &keys_binary, &draft);
        form = path_normalise(draft.path->text, normal, sizeof(normal));
        (void)diagnostic_value(draft.path->text, value);
        if (form == PATH_TRAVERSAL)
                return build_error(build, draft.path->position,
                        "network policy '%s': binary path contains '..' traversal component: '%s'",
                        network, value);
        if (form == PATH_LONG)
                return build_error(build, draft.path->position,
                        "network policy '%s': binary path exceeds maximum length (%u): '%s'",
                        network, POLICY_PATH_SIZE_MAX, value);
        if (form != PATH_NORMAL)
                return build_error(build, draft.path->position,
                        "network policy '%s': binary path must be absolute (start with '/'): '%s'",
                        network, value);
        *binary = (PolicyBinary){ .path = arena_text(build->arena, normal, strlen(normal)),
                .exact = !pattern_has_wildcard(normal),
                .position = draft.path->position };
        return binary->path != NULL ? 0 : build_no_memory(build);
}

/* ---- what the list means ---- */

/* Whether something at or below a writable path would be taken for the binary. */
static bool is_at_or_below(const PolicyBinary *binary, const char *writable) {
        if (binary->exact)
                return path_covers(writable, binary->path);
        return pattern_matches_path(binary->path, writable) ||
               pattern_reaches_below(binary->path, writable);
}

static bool session_may_write(const Policy *policy, const PolicyBinary *binary) {
        if (is_at_or_below(binary, "/dev/shm")) /* of the baseline */
                return true;
        if (policy->include_workdir && strcmp(binary->path, POLICY_WORKDIR) != 0 &&
                is_at_or_below(binary, POLICY_WORKDIR))
                return true;
        for (uint32_t i = 0; i < policy->path_count; i++)
                if (policy->paths[i].access == POLICY_READ_WRITE &&
                        is_at_or_below(binary, policy->paths[i].path))
                        return true;
        return false;
}

static bool means_any(const PolicyBinary *binary) {
        return strcmp(binary->path, ANY_PROGRAM) == 0;
}

/* Who may write an executable may put another program there: the rule means any program, and its
 * author should know. */
static void warn_writable(Build *build, const PolicyNetwork *network) {
        const PolicyBinary *first = NULL;
        uint32_t more = 0;

        for (uint32_t i = 0; i < network->binary_count; i++) {
                const PolicyBinary *binary = &network->binaries[i];

                if (means_any(binary) || !session_may_write(build->policy, binary))
                        continue;
                if (first == NULL)
                        first = binary;
                else
                        more++;
        }
        if (first != NULL && more == 0)
                build_find(build, POLICY_FINDING_WARNING, first->position,
                        "network policy '%s': the session can write '%s', so any program can "
                        "pose as it: the rule means '/**'",
                        network->key, first->path);
        else if (first != NULL)
                build_find(build, POLICY_FINDING_WARNING, first->position,
                        "network policy '%s': the session can write '%s' and %u more, so any "
                        "program can pose as them: the rule means '/**'",
                        network->key, first->path, more);
}

#define SHELL_SIZE 32U

/* The shell that the binary is or, being a pattern, takes in. */
static bool takes_in_shell(const PolicyBinary *binary, char ret_shell[static SHELL_SIZE]) {
        static const char *const folders[] = { "/bin", "/usr/bin", "/usr/local/bin" };
        static const char *const names[] = { "bash", "sh", "dash", "ash", "zsh", "ksh", "fish",
                "busybox" };

        for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
                for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++) {
                        (void)snprintf(ret_shell, SHELL_SIZE, "%s/%s", folders[i], names[j]);
                        if (pattern_matches_path(binary->path, ret_shell))
                                return true;
                }
        return false;
}

static void warn_shell(Build *build, const PolicyNetwork *network) {
        for (uint32_t i = 0; i < network->binary_count; i++) {
                const PolicyBinary *binary = &network->binaries[i];
                char shell[SHELL_SIZE];

                if (means_any(binary) || !takes_in_shell(binary, shell))
                        continue;
                build_find(build, POLICY_FINDING_WARNING, binary->position,
                        "network policy '%s': '%s' %s%s%s, so every program that a session starts "
                        "from it may use the rule, unless another rule names that program",
                        network->key, binary->path,
                        binary->exact ? "is a shell" : "takes in the shell '",
                        binary->exact ? "" : shell, binary->exact ? "" : "'");
                return; /* one is enough to know */
        }
}

/* Other tools' wildcards are letters here: the rule is narrower than it looks. */
static void warn_letters(Build *build, const PolicyNetwork *network) {
        for (uint32_t i = 0; i < network->binary_count; i++)
                if (strpbrk(network->binaries[i].path, "?[{") != NULL)
                        build_find(build, POLICY_FINDING_WARNING, network->binaries[i].position,
                                "network policy '%s': in '%s' only '*' and '**' are wildcards; "
                                "'?', '[' and '{' are themselves",
                                network->key, network->binaries[i].path);
}

/* ---- the list ---- */

static int compare_binaries(const void *a, const void *b) {
        const PolicyBinary *left = a, *right = b;
        int order = strcmp(left->path, right->path);

        return order != 0 ? order : position_compare(left->position, right->position);
}

int build_binaries(Build *build, const Node *list, PolicyNetwork *network) {
        uint32_t room = list != NULL ? list->count : 0, count = 0;
        PolicyBinary *binaries = arena_array(build->arena, room, sizeof(*binaries));
        int r = 0;

        if (binaries == NULL)
                return build_no_memory(build);
        for (const Node *item = list != NULL ? list->first : NULL; item != NULL; item = item->next)
                if (build_binary(build, network->key, item, &binaries[count]) < 0)
                        r = -1;
                else
                        count++;
        if (count > 0)
                qsort(binaries, count, sizeof(*binaries), compare_binaries);
        network->binaries = binaries;
        network->binary_count = count;
        if (room == 0 && network->endpoint_count > 0)
                build_find(build, POLICY_FINDING_WARNING, network->position,
                        "network policy '%s' names no binaries, so nobody may use it",
                        network->key);
        warn_writable(build, network);
        warn_shell(build, network);
        warn_letters(build, network);
        return r;
}
