/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order is the kernel's: setgroups needs CAP_SETGID, which a uid change may take; each call
 * sets the real, effective and saved id, so there is no way back. The three identifiers are read
 * again afterwards, because a set*id that only half works must not pass.
 */
#include "sidecar/launcher/identity.h"

#include "sidecar/launcher/capability.h"
#include "sidecar/wire/users.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static int check_id(const char *kind, uint32_t id, Error *error) {
        if (user_is_of_sidecar(id))
                return error_set(error, ERROR_INPUT, 0,
                        "a session cannot have %s %u: %u to %u are the sidecar's own; give the "
                        "user another one in the image, or the policy another user",
                        kind, id, LAUNCHER_UID, EGRESS_UID);
        if (id == 0 || id == UINT32_MAX)
                return error_set(error, ERROR_INPUT, 0, "a session cannot have %s %u", kind, id);
        return 0;
}

int identity_check(const RecordIdentity *identity, Error *error) {
        if (check_id("uid", identity->uid, error) < 0 || check_id("gid", identity->gid, error) < 0)
                return -1;
        for (uint32_t i = 0; i < identity->group_count; i++)
                if (check_id("group", identity->groups[i], error) < 0)
                        return -1;
        return 0;
}

/* In a user namespace one gid without a mapping makes setgroups fail as a whole; without that group
 * the session has less, not more. */
static int set_mapped_groups(const RecordIdentity *identity) {
        gid_t groups[RECORD_GROUPS_MAX];
        size_t count = 0;

        for (uint32_t i = 0; i < identity->group_count; i++) {
                gid_t group = identity->groups[i];

                if (setgroups(1, &group) == 0)
                        groups[count++] = group;
                else if (errno != EINVAL)
                        return -errno;
        }
        return setgroups(count, groups) < 0 ? -errno : 0;
}

static int set_groups(const RecordIdentity *identity) {
        if (setgroups(identity->group_count, identity->groups) == 0)
                return 0;
        return errno == EINVAL ? set_mapped_groups(identity) : -errno;
}

static bool is_taken(const RecordIdentity *identity) {
        uid_t real, effective, saved;
        gid_t real_group, effective_group, saved_group;

        if (getresuid(&real, &effective, &saved) < 0 ||
                getresgid(&real_group, &effective_group, &saved_group) < 0)
                return false;
        return real == identity->uid && effective == identity->uid && saved == identity->uid &&
               real_group == identity->gid && effective_group == identity->gid &&
               saved_group == identity->gid;
}

int identity_take(const RecordIdentity *identity) {
        int r = set_groups(identity);

        if (r < 0)
                return r;
        if (setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
                setresuid(identity->uid, identity->uid, identity->uid) < 0)
                return -errno;
        /* A change of uid clears the parent-death signal and lets fs.suid_dumpable decide who may
         * look into this process: set both again, before anything else. The memory is the keeper's
         * until the execve. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        r = capability_keep_only(0);
        if (r < 0)
                return r;
        return is_taken(identity) ? 0 : -EPERM;
}
