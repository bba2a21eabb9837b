/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Journal: RUN/hook.log, what the hook of this node had to say. crun throws a hook's output away,
 * and runc shows it only when the hook fails.
 */
#define JOURNAL_SIZE_MAX ((size_t)256 * 1024) /* then it becomes hook.log.1, and a new one begins  \
                                               */

/* Appends a line with the time in front. Where that is not possible nothing happens: standard error
 * has the line, too. */
void journal_add(const char *run_directory, const char *level, const char *text);
