/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/passwd.h"

#include "base/number.h"

#include <string.h>

#define PASSWD_FIELDS 7U
#define GROUP_FIELDS 4U

typedef struct Field {
        const char *at;
        size_t size;
} Field;

static bool field_equal(Field field, const char *text) {
        return field.size == strlen(text) && memcmp(field.at, text, field.size) == 0;
}

static bool is_clean(const char *at, size_t size) {
        for (size_t i = 0; i < size; i++)
                if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f)
                        return false;
        return true;
}

/* Takes the next line off the text; false at its end. */
static bool next_line(PasswdText *text, Field *ret_line) {
        const char *end;

        if (text->size == 0)
                return false;
        end = memchr(text->text, '\n', text->size);
        *ret_line = (Field){ .at = text->text,
                .size = end != NULL ? (size_t)(end - text->text) : text->size };
        text->text += ret_line->size + (end != NULL);
        text->size -= ret_line->size + (end != NULL);
        return true;
}

/* Exactly `count` fields with a usable name first. */
static bool split_line(Field line, Field *fields, size_t count) {
        const char *at = line.at, *end = line.at + line.size;

        if (!is_clean(line.at, line.size))
                return false;
        for (size_t i = 0; i < count; i++) {
                const char *colon = memchr(at, ':', (size_t)(end - at));

                if ((colon == NULL) != (i == count - 1))
                        return false;
                fields[i] =
                        (Field){ .at = at, .size = (size_t)((colon != NULL ? colon : end) - at) };
                at = colon != NULL ? colon + 1 : end;
        }
        return fields[0].size > 0 && fields[0].size < PASSWD_NAME_MAX &&
               memchr("+-#", fields[0].at[0], 3) == NULL;
}

static bool parse_id(Field field, uint32_t *ret_id) {
        uint64_t value;

        if (!number_parse(field.at, field.size, PASSWD_ID_MAX, &value))
                return false;
        *ret_id = (uint32_t)value;
        return true;
}

/* An absolute path, or nothing. */
static void copy_path(Field field, char to[static PASSWD_PATH_MAX]) {
        if (field.size == 0 || field.at[0] != '/' || field.size >= PASSWD_PATH_MAX)
                field.size = 0;
        memcpy(to, field.at, field.size);
        to[field.size] = '\0';
}

static bool refuses_login(const char *shell) {
        const char *slash = strrchr(shell, '/');

        return slash != NULL && (strcmp(slash, "/nologin") == 0 || strcmp(slash, "/false") == 0);
}

static bool parse_passwd(Field line, PasswdEntry *ret_entry) {
        Field fields[PASSWD_FIELDS];

        if (!split_line(line, fields, PASSWD_FIELDS) || !parse_id(fields[2], &ret_entry->uid) ||
                !parse_id(fields[3], &ret_entry->gid))
                return false;
        memcpy(ret_entry->name, fields[0].at, fields[0].size);
        ret_entry->name[fields[0].size] = '\0';
        copy_path(fields[5], ret_entry->home);
        copy_path(fields[6], ret_entry->shell);
        if (refuses_login(ret_entry->shell))
                ret_entry->shell[0] = '\0';
        return true;
}

bool passwd_find_name(PasswdText passwd, const char *name, PasswdEntry *ret_entry) {
        PasswdEntry entry;
        Field line;

        while (next_line(&passwd, &line))
                if (parse_passwd(line, &entry) && strcmp(entry.name, name) == 0) {
                        *ret_entry = entry;
                        return true;
                }
        return false;
}

bool passwd_find_uid(PasswdText passwd, uint32_t uid, PasswdEntry *ret_entry) {
        PasswdEntry entry;
        Field line;

        while (next_line(&passwd, &line))
                if (parse_passwd(line, &entry) && entry.uid == uid) {
                        *ret_entry = entry;
                        return true;
                }
        return false;
}

static bool parse_group(Field line, Field *ret_name, uint32_t *ret_gid, Field *ret_members) {
        Field fields[GROUP_FIELDS];

        if (!split_line(line, fields, GROUP_FIELDS) || !parse_id(fields[2], ret_gid))
                return false;
        *ret_name = fields[0];
        *ret_members = fields[3];
        return true;
}

bool group_find_name(PasswdText group, const char *name, uint32_t *ret_gid) {
        Field line, found, members;
        uint32_t gid;

        while (next_line(&group, &line))
                if (parse_group(line, &found, &gid, &members) && field_equal(found, name)) {
                        *ret_gid = gid;
                        return true;
                }
        return false;
}

bool group_find_gid(PasswdText group, uint32_t gid) {
        Field line, name, members;
        uint32_t found;

        while (next_line(&group, &line))
                if (parse_group(line, &name, &found, &members) && found == gid)
                        return true;
        return false;
}

static bool lists(Field members, const char *user) {
        const char *end = members.at + members.size;

        for (const char *at = members.at; at < end;) {
                const char *comma = memchr(at, ',', (size_t)(end - at));
                Field one = { .at = at, .size = (size_t)((comma != NULL ? comma : end) - at) };

                if (field_equal(one, user))
                        return true;
                at += one.size + 1;
        }
        return false;
}

size_t group_memberships(PasswdText group, const char *user, uint32_t *ret_gids, size_t max) {
        Field line, name, members;
        size_t count = 0;
        uint32_t gid;

        while (next_line(&group, &line)) {
                if (!parse_group(line, &name, &gid, &members) || !lists(members, user))
                        continue;
                if (count < max)
                        ret_gids[count] = gid;
                count++;
        }
        return count;
}
