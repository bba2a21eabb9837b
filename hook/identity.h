/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Identity: who sessions run as, from what the policy asks for and what the image's passwd and
 * group files say. Pure; runs in a jail.
 *
 * Never 0 and never one of the sidecar's own ids (sidecar/wire/users.h), neither as uid nor as gid
 * nor as a supplementary group.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"
#include "hook/passwd.h"
#include "sidecar/wire/record.h"

#define IDENTITY_NAME "sandbox" /* the user and group that are added where an image lacks them */
#define IDENTITY_HOME "/sandbox"
#define IDENTITY_SHELL "/bin/sh"

typedef struct IdentityWish {
        const char *user; /* a name or a decimal uid, as the policy has it */
        const char *group;
        PasswdText passwd; /* empty where the image has none */
        PasswdText groups;
        uint32_t new_uid,
                new_gid; /* of the node's configuration, for an image without IDENTITY_NAME */
} IdentityWish;

typedef struct Identity {
        RecordIdentity record; /* strings borrowed from the unpacked data */
        bool add_user; /* the image lacks the line: the hook adds it to what the container sees */
        bool add_group;
} Identity;

/* Packs an Identity. Refuses an unknown name other than IDENTITY_NAME, uid or gid 0, an id of the
 * sidecar's, and a new id that the image uses for another name. */
int identity_resolve(const IdentityWish *wish, Packer *result, Error *error);

/* Reads what identity_resolve() packed, as a part of a larger record; check unpack_end()
 * afterwards. */
void identity_unpack(Unpacker *fields, Identity *ret_identity);
