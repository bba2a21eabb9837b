/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/identity.h"

#include "base/number.h"
#include "sidecar/wire/users.h"

#include <stdio.h>
#include <string.h>

typedef struct Resolved {
        PasswdEntry user;
        bool has_line; /* the image's passwd has a line for the user */
        bool add_user, add_group;
        uint32_t gid;
        uint32_t groups[RECORD_GROUPS_MAX];
        uint32_t group_count;
} Resolved;

static bool is_number(const char *text, uint32_t *ret_id) {
        uint64_t value;

        if (!number_parse(text, strlen(text), PASSWD_ID_MAX, &value))
                return false;
        *ret_id = (uint32_t)value;
        return true;
}

static int resolve_number(const IdentityWish *wish, uint32_t uid, Resolved *resolved) {
        resolved->has_line = passwd_find_uid(wish->passwd, uid, &resolved->user);
        if (!resolved->has_line) {
                resolved->user = (PasswdEntry){ .uid = uid, .gid = 0, .home = IDENTITY_HOME };
                (void)snprintf(resolved->user.name, sizeof(resolved->user.name), "%u", uid);
        }
        return 0;
}

static int resolve_user(const IdentityWish *wish, Resolved *resolved, Error *error) {
        PasswdEntry other;
        uint32_t uid;

        if (is_number(wish->user, &uid))
                return resolve_number(wish, uid, resolved);
        if (passwd_find_name(wish->passwd, wish->user, &resolved->user)) {
                resolved->has_line = true;
                return 0;
        }
        if (strcmp(wish->user, IDENTITY_NAME) != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "run_as_user '%s' is not in the image's /etc/passwd; only '%s' is added "
                        "where it is missing",
                        wish->user, IDENTITY_NAME);
        if (passwd_find_uid(wish->passwd, wish->new_uid, &other))
                return error_set(error, ERROR_INPUT, 0,
                        "the image has no user '%s', and uses uid %u for '%s': set 'sandbox.uid' "
                        "in the node "
                        "configuration, or add the user to the image",
                        IDENTITY_NAME, wish->new_uid, other.name);
        resolved->add_user = true;
        resolved->user = (PasswdEntry){
                .name = IDENTITY_NAME,
                .uid = wish->new_uid,
                .gid = wish->new_gid,
                .home = IDENTITY_HOME,
                .shell = IDENTITY_SHELL,
        };
        return 0;
}

static int resolve_group(const IdentityWish *wish, Resolved *resolved, Error *error) {
        if (is_number(wish->group, &resolved->gid) ||
                group_find_name(wish->groups, wish->group, &resolved->gid))
                return 0;
        if (strcmp(wish->group, IDENTITY_NAME) != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "run_as_group '%s' is not in the image's /etc/group; only '%s' is added "
                        "where it is missing",
                        wish->group, IDENTITY_NAME);
        if (resolved->has_line) {
                resolved->gid =
                        resolved->user
                                .gid; /* a user made with another primary group than its own */
                return 0;
        }
        if (group_find_gid(wish->groups, wish->new_gid))
                return error_set(error, ERROR_INPUT, 0,
                        "the image has no group '%s', and uses gid %u for another: set "
                        "'sandbox.gid' in the node "
                        "configuration, or add the group to the image",
                        IDENTITY_NAME, wish->new_gid);
        resolved->add_group = true;
        resolved->gid = wish->new_gid;
        return 0;
}

static int resolve_memberships(const IdentityWish *wish, Resolved *resolved, Error *error) {
        uint32_t found[RECORD_GROUPS_MAX + 2]; /* room for the two that are dropped */
        const size_t room = sizeof(found) / sizeof(*found);
        size_t count = 0;

        if (resolved->has_line)
                count = group_memberships(wish->groups, resolved->user.name, found, room);
        for (size_t i = 0; i < count && i < room; i++) {
                if (found[i] == 0 || found[i] == resolved->gid)
                        continue;
                if (resolved->group_count < RECORD_GROUPS_MAX)
                        resolved->groups[resolved->group_count++] = found[i];
        }
        if (count > RECORD_GROUPS_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "the image's /etc/group has '%s' in %zu groups, more than %u",
                        resolved->user.name, count, RECORD_GROUPS_MAX);
        return 0;
}

static int refuse_root(const IdentityWish *wish, const Resolved *resolved, Error *error) {
        if (resolved->user.uid == 0)
                return error_set(error, ERROR_DENIED, 0,
                        "run_as_user '%s' is uid 0 in the image's /etc/passwd: sessions never run "
                        "as root",
                        wish->user);
        if (resolved->gid == 0)
                return error_set(error, ERROR_DENIED, 0,
                        "run_as_group '%s' is gid 0 in the image: sessions never run in root's "
                        "group",
                        wish->group);
        return 0;
}

/* The image may call the user what it likes: with the launcher's uid it could kill the launcher. */
static int refuse_sidecar(const char *what, uint32_t id, Error *error) {
        if (!user_is_of_sidecar(id))
                return 0;
        return error_set(error, ERROR_DENIED, 0,
                "%s is %u, and %u to %u are the sidecar's own: give it another number in the "
                "image's /etc/passwd and /etc/group, or name another user or group in the policy",
                what, id, LAUNCHER_UID, EGRESS_UID);
}

static int refuse_sidecars(const Resolved *resolved, Error *error) {
        if (refuse_sidecar("the uid of run_as_user", resolved->user.uid, error) < 0 ||
                refuse_sidecar("the gid of run_as_group", resolved->gid, error) < 0)
                return -1;
        for (uint32_t i = 0; i < resolved->group_count; i++)
                if (refuse_sidecar("a group of run_as_user", resolved->groups[i], error) < 0)
                        return -1;
        return 0;
}

static void pack_identity(const Resolved *resolved, Packer *result) {
        pack_u8(result, resolved->add_user);
        pack_u8(result, resolved->add_group);
        pack_u32(result, resolved->user.uid);
        pack_u32(result, resolved->gid);
        pack_u32(result, resolved->group_count);
        for (uint32_t i = 0; i < resolved->group_count; i++)
                pack_u32(result, resolved->groups[i]);
        pack_string(result, resolved->user.name);
        pack_string(result, resolved->user.home[0] != '\0' ? resolved->user.home : IDENTITY_HOME);
        pack_string(result, resolved->user.shell);
}

int identity_resolve(const IdentityWish *wish, Packer *result, Error *error) {
        Resolved resolved = { 0 };

        if (resolve_user(wish, &resolved, error) < 0 || resolve_group(wish, &resolved, error) < 0 ||
                refuse_root(wish, &resolved, error) < 0 ||
                resolve_memberships(wish, &resolved, error) < 0 ||
                refuse_sidecars(&resolved, error) < 0)
                return -1;
        pack_identity(&resolved, result);
        return 0;
}

static bool is_forbidden(uint32_t id) {
        return id == 0 || user_is_of_sidecar(id);
}

void identity_unpack(Unpacker *fields, Identity *ret_identity) {
        RecordIdentity *record = &ret_identity->record;

        *ret_identity = (Identity){ .add_user = unpack_u8(fields) != 0 };
        ret_identity->add_group = unpack_u8(fields) != 0;
        record->uid = unpack_u32(fields);
        record->gid = unpack_u32(fields);
        record->group_count = unpack_count(fields, RECORD_GROUPS_MAX);
        for (uint32_t i = 0; i < record->group_count; i++)
                record->groups[i] = unpack_u32(fields);
        record->name = unpack_string(fields);
        record->home = unpack_string(fields);
        record->shell = unpack_string(fields);
        /* the rule of this file, whatever the jail says */
        if (is_forbidden(record->uid) || is_forbidden(record->gid))
                fields->failed = true;
        for (uint32_t i = 0; i < record->group_count; i++)
                if (is_forbidden(record->groups[i]))
                        fields->failed = true;
}
