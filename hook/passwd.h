/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Passwd: looking things up in the text of an image's /etc/passwd and /etc/group (passwd(5),
 * group(5)), without NSS and without believing it. Pure; meant to run in a jail.
 *
 * A line that is malformed is no line: a wrong number of fields, a number that is not plainly
 * decimal, a control byte, a name that starts like an option or a compatibility entry ('+', '-',
 * '#'). The first good line of a name or number counts, as with every libc.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASSWD_SIZE_MAX ((size_t)1024 * 1024) /* of a file; a line for each of 10 000 users fits   \
                                               */
#define PASSWD_NAME_MAX 257U                  /* with the NUL; useradd stops at 256 */
#define PASSWD_PATH_MAX 1024U
#define PASSWD_ID_MAX 4294967294U /* (uid_t)-1 means "unchanged" to the kernel */

typedef struct PasswdEntry {
        char name[PASSWD_NAME_MAX];
        uint32_t uid, gid;
        char home[PASSWD_PATH_MAX];  /* absolute, or "" */
        char shell[PASSWD_PATH_MAX]; /* absolute, or "" when empty, nologin or false */
} PasswdEntry;

typedef struct PasswdText {
        const char *text; /* borrowed; may hold anything, NULs too */
        size_t size;
} PasswdText;

bool passwd_find_name(PasswdText passwd, const char *name, PasswdEntry *ret_entry);
bool passwd_find_uid(PasswdText passwd, uint32_t uid, PasswdEntry *ret_entry);
bool group_find_name(PasswdText group, const char *name, uint32_t *ret_gid);
bool group_find_gid(PasswdText group, uint32_t gid);

/* The gids of the groups that list `user` as a member: at most `max` of them; returns how many
 * there are. */
size_t group_memberships(PasswdText group, const char *user, uint32_t *ret_gids, size_t max);
