/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rules are opened by O_PATH descriptors, so what a rule grants is the inode that was there at that
 * moment, not a name.
 *
 * The tree is the workload's and parts of it belong to earlier sessions, so a name may have become
 * a symbolic link since the author wrote it:
 * - a writable path is opened without following any, else a session could turn /sandbox/cache into
 *   a link to another user's directory and be granted it the next time;
 * - a readable one is followed, because images are full of such links (/lib, /bin), and the link is
 *   reported. What it opens is still subject to the file modes.
 *
 * Magic links (/proc/self/fd/...) are never followed: they lead out of the tree.
 */
#include "sidecar/launcher/landlock.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

/* What Debian 12's header does not have; numbers from the kernel's include/uapi/linux/landlock.h.
 */
#define ACCESS_TRUNCATE (1ULL << 14)           /* ABI 3, Linux 6.2 */
#define ACCESS_IOCTL_DEVICE (1ULL << 15)       /* ABI 5, Linux 6.10 */
#define ACCESS_RESOLVE_UNIX (1ULL << 16)       /* ABI 9, Linux 7.1: connecting to a socket file */
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6, Linux 6.12 */
#define SCOPE_SIGNAL (1ULL << 1)               /* ABI 6 */
#define RESTRICT_LOG_NEW_EXECUTABLE_ON                                                             \
        (1U << 1) /* ABI 7, Linux 6.15: denials are audited after execve */

/* struct landlock_ruleset_attr as of ABI 6; an older kernel is given the part that it knows.
 * Network rights (ABI 4, 10) are not handled: the session's network is a namespace of its own, and
 * a handled right without rules would forbid its loopback. */
typedef struct RulesetAttributes {
        uint64_t handled_files;
        uint64_t handled_network;
        uint64_t scoped;
} RulesetAttributes;

#define RIGHTS_READ                                                                                \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_OF_FILES                                                                            \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
                LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEVICE |            \
                ACCESS_RESOLVE_UNIX)

static const struct {
        int abi;
        uint64_t files;
        uint64_t scoped;
} additions[] = {
        { .abi = 1,
                .files = RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |
                         LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                         LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                         LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                         LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                         LANDLOCK_ACCESS_FS_MAKE_SYM },
        { .abi = 2, .files = LANDLOCK_ACCESS_FS_REFER },
        { .abi = 3, .files = ACCESS_TRUNCATE },
        { .abi = 5, .files = ACCESS_IOCTL_DEVICE },
        { .abi = 6, .scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL },
        { .abi = 9, .files = ACCESS_RESOLVE_UNIX },
};

static RulesetAttributes attributes_of(int abi) {
        RulesetAttributes attributes = { 0 };

        for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++)
                if (additions[i].abi <= abi) {
                        attributes.handled_files |= additions[i].files;
                        attributes.scoped |= additions[i].scoped;
                }
        return attributes;
}

static size_t attributes_size(int abi) {
        if (abi < 4)
                return sizeof(uint64_t);
        return abi < 6 ? 2 * sizeof(uint64_t) : sizeof(RulesetAttributes);
}

bool landlock_bit(const LandlockBits *bits, size_t index) {
        return (bits->byte[index / 8] >> (index % 8) & 1) != 0;
}

static void set_bit(LandlockBits *bits, size_t index) {
        bits->byte[index / 8] |= (uint8_t)(1U << (index % 8));
}

int landlock_probe(void) {
        int abi = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

        return abi < 0 ? -errno : abi;
}

const char *landlock_absence(int code) {
        if (code == ENOSYS)
                return "not implemented";
        return code == EOPNOTSUPP ? "not enabled" : "blocked";
}

uint64_t landlock_rights(int abi, bool writable, bool directory) {
        uint64_t rights = attributes_of(abi).handled_files;

        if (!writable)
                rights &= RIGHTS_READ;
        if (!directory)
                rights &= RIGHTS_OF_FILES;
        return rights;
}

static int open_path(const char *path, uint64_t resolve) {
        int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, resolve);

        return fd < 0 ? -errno : fd;
}

/* Owned by the caller from here on: it was made by us a moment ago, or it is not what we made. */
static int give_away(int parent_fd, const char *name, uid_t uid, gid_t gid) {
        cleanup_fd int fd = sys_openat2(parent_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        struct stat about;

        if (fd < 0 || fstat(fd, &about) < 0)
                return -errno;
        if (about.st_uid != geteuid())
                return -EEXIST; /* who may write the parent has put another directory in its place
                                 */
        if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
                return -errno;
        return take_fd(fd);
}

/* False at the end, and for a component longer than any file system takes. */
static bool next_component(const char **path, char name[static NAME_MAX + 1]) {
        size_t size;

        *path += strspn(*path, "/");
        size = strcspn(*path, "/");
        if (size == 0 || size > NAME_MAX)
                return false;
        memcpy(name, *path, size);
        name[size] = '\0';
        *path += size;
        return true;
}

/* Makes the components of path that are missing, each owned by the session's user; existing ones
 * keep their owner. */
static int create_directory(const char *path, uid_t uid, gid_t gid) {
        cleanup_fd int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        char name[NAME_MAX + 1];

        if (at < 0)
                return -errno;
        while (next_component(&path, name)) {
                cleanup_fd int parent = take_fd(at);

                at = sys_openat2(
                        parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
                if (at >= 0)
                        continue;
                if (errno != ENOENT)
                        return -errno;
                if (mkdirat(parent, name, 0755) < 0)
                        return -errno;
                at = give_away(parent, name, uid, gid);
                if (at < 0)
                        return take_fd(at);
        }
        return take_fd(at);
}

static int open_rule(const LandlockPlan *plan, size_t index, LandlockOutcome *outcome) {
        const LandlockRule *rule = &plan->rules[index];
        int fd = open_path(rule->path, RESOLVE_NO_SYMLINKS);

        if (fd == -ELOOP && (!rule->writable || !rule->authored)) {
                fd = open_path(rule->path, RESOLVE_NO_MAGICLINKS);
                if (fd >= 0 && rule->authored)
                        set_bit(&outcome->followed, index);
        }
        if (fd == -ENOENT && rule->writable && rule->authored) {
                fd = create_directory(rule->path, plan->uid, plan->gid);
                if (fd >= 0)
                        set_bit(&outcome->created, index);
        }
        return fd;
}

static int add_rule(int ruleset_fd, int abi, bool writable, int path_fd) {
        struct landlock_path_beneath_attr attributes = { .parent_fd = path_fd };
        struct stat about;

        if (fstat(path_fd, &about) < 0)
                return -errno;
        attributes.allowed_access = landlock_rights(abi, writable, S_ISDIR(about.st_mode));
        if (sys_landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &attributes, 0) < 0)
                return -errno;
        return 0;
}

static bool may_be_missing(const LandlockPlan *plan, const LandlockRule *rule, int code) {
        return (code == -ENOENT || code == -ENOTDIR) && (!plan->hard || !rule->authored);
}

static int prepare_rule(
        const LandlockPlan *plan, size_t index, int ruleset_fd, LandlockOutcome *outcome) {
        const LandlockRule *rule = &plan->rules[index];
        cleanup_fd int path_fd = open_rule(plan, index, outcome);
        int r = path_fd;

        if (path_fd < 0) {
                path_fd = -1;
                if (!may_be_missing(plan, rule, r))
                        return r;
                if (rule->authored)
                        set_bit(&outcome->skipped, index);
                return 0;
        }
        r = add_rule(ruleset_fd, plan->abi, rule->writable, path_fd);
        if (r < 0)
                return r;
        outcome->applied++;
        return 0;
}

/* A policy of which nothing that its author wrote exists would confine a session to the defaults:
 * not what was asked for. */
static bool all_authored_skipped(const LandlockPlan *plan, const LandlockOutcome *outcome) {
        size_t authored = 0, skipped = 0;

        for (size_t i = 0; i < plan->count; i++) {
                authored += plan->rules[i].authored;
                skipped += landlock_bit(&outcome->skipped, i);
        }
        return outcome->applied == 0 || (authored > 0 && authored == skipped);
}

int landlock_prepare(
        const LandlockPlan *plan, int *ret_fd, LandlockOutcome *ret_outcome, uint32_t *ret_rule) {
        RulesetAttributes attributes = attributes_of(plan->abi);
        LandlockOutcome outcome = { 0 };
        cleanup_fd int fd = -1;
        int r;

        if (plan->abi == 0) {
                *ret_fd = -1;
                *ret_outcome = outcome;
                return 0;
        }
        *ret_rule = 0;
        fd = sys_landlock_create_ruleset(&attributes, attributes_size(plan->abi), 0);
        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < plan->count; i++) {
                *ret_rule = (uint32_t)i;
                r = prepare_rule(plan, i, fd, &outcome);
                if (r < 0)
                        return r;
        }
        if (all_authored_skipped(plan, &outcome))
                return -ENOENT;

        *ret_fd = take_fd(fd);
        *ret_outcome = outcome;
        return 0;
}

int landlock_enforce(const LandlockPlan *plan, int ruleset_fd) {
        uint32_t flags = plan->abi >= 7 ? RESTRICT_LOG_NEW_EXECUTABLE_ON : 0;

        return sys_landlock_restrict_self(ruleset_fd, flags) < 0 ? -errno : 0;
}
