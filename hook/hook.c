/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/hook.h"

#include "base/fd.h"
#include "base/log.h"
#include "hook/journal.h"

#include <stdlib.h>

/* a JSON text of the largest size makes a tree of ten times that */
#define JAIL_MEMORY ((size_t)512 * 1024 * 1024)
#define JAIL_DEADLINE 2000U

Jail hook_jail(const char *name, size_t result_max) {
        return (Jail){
                .name = name,
                .identity = JAIL_DROP_IDENTITY,
                .memory_max = JAIL_MEMORY,
                .result_max = result_max,
                .deadline_ms = JAIL_DEADLINE,
        };
}

/* What went wrong may have gone wrong before the node's configuration was read: then it is read
 * now, for the place of the journal alone. */
static void keep(const Hook *hook, const char *level, const Error *error) {
        cleanup(node_freep) Node node = { 0 };
        const char *directory = hook->node.run_directory;

        if (directory == NULL)
                directory = node_read(hook->node_path, &node, NULL) == 0 ? node.run_directory
                                                                         : NODE_RUN_DIRECTORY;
        journal_add(directory, level, error->text);
}

void hook_warn(const Hook *hook, const Error *error) {
        log_line(LOG_LEVEL_WARNING, "%s", error->text);
        keep(hook, "warning", error);
}

void hook_report(const Hook *hook, const Error *error) {
        log_line(LOG_LEVEL_ERROR, "%s", error->text);
        keep(hook, "error", error);
}

Hook hook_free(Hook hook) {
        (void)fd_close(hook.proc);
        (void)fd_close(hook.pods);
        (void)fd_close(hook.pod);
        (void)process_close(hook.process);
        (void)node_free(hook.node);
        (void)storage_free(hook.storage);
        bundle_done(&hook.bundle);
        free(hook.state_data);
        free(hook.bundle_data);
        return HOOK_NONE;
}
