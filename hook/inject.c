/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All our files are one read-only tmpfs at /etc/navigator; single files of it appear where programs
 * look for them. The image's own files are never written, but a name that we mount on is created
 * where it is missing, in the container's own layer; one that is missing on a volume is a refusal.
 *
 * Every place is found, or refused, before the first mount.
 */
#include "hook/inject.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "hook/mount.h"
#include "hook/profile.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#define DIRECTORY "/etc/navigator"
/* a policy, certificate authorities, and copies of passwd and group at their largest */
#define TREE_SIZE ((size_t)8 * 1024 * 1024)

static int add_file(const Injection *injection, int tree, const char *name, const char *text,
        size_t size, Error *error) {
        return mount_add_file(tree, name, text, size, injection->rootfs->owner_uid,
                injection->rootfs->owner_gid, error);
}

/* The image's file, and one line more. */
static int add_copy(const Injection *injection, int tree, const char *name, PasswdText text,
        const char *line, Error *error) {
        const char *gap = text.size > 0 && text.text[text.size - 1] != '\n' ? "\n" : "";
        size_t whole = text.size + strlen(gap) + strlen(line);
        cleanup_free char *copy = malloc(whole + 1);

        if (copy == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot copy the image's %s", name);
        if (text.size > 0)
                memcpy(copy, text.text, text.size);
        (void)snprintf(copy + text.size, whole + 1 - text.size, "%s%s", gap, line);
        return add_file(injection, tree, name, copy, whole, error);
}

static int add_identity(const Injection *injection, int tree, Error *error) {
        const RecordIdentity *identity = &injection->identity->record;
        char line[256];

        if (injection->identity->add_user) {
                (void)snprintf(line, sizeof(line), "%s:x:%u:%u:%s:%s:%s\n", IDENTITY_NAME,
                        identity->uid, identity->gid, IDENTITY_NAME, IDENTITY_HOME, IDENTITY_SHELL);
                if (add_copy(injection, tree, "passwd", injection->passwd, line, error) < 0)
                        return -1;
        }
        if (injection->identity->add_group) {
                (void)snprintf(line, sizeof(line), "%s:x:%u:\n", IDENTITY_NAME, identity->gid);
                if (add_copy(injection, tree, "group", injection->groups, line, error) < 0)
                        return -1;
        }
        return 0;
}

static int add_authorities(const Injection *injection, int tree, Error *error) {
        const Authorities *authorities = injection->authorities;

        if (authorities->own == NULL)
                return 0;
        if (add_file(injection, tree, AUTHORITIES_OWN, authorities->own, authorities->own_size,
                    error) < 0)
                return -1;
        return add_file(injection, tree, AUTHORITIES_BUNDLE, authorities->bundle,
                authorities->bundle_size, error);
}

static int fill_tree(const Injection *injection, int tree, Error *error) {
        const char *const *more = injection->authorities->own != NULL ? authority_variables : NULL;
        cleanup_free char *script = NULL, *environment = NULL;

        if (profile_script(injection->path, more, &script, error) < 0 ||
                profile_environment(more, &environment, error) < 0)
                return -1;
        if (add_file(injection, tree, "policy.yaml", injection->policy.text, injection->policy.size,
                    error) < 0 ||
                add_file(injection, tree, "proxy.env", environment, strlen(environment), error) <
                        0 ||
                add_file(injection, tree, "profile.sh", script, strlen(script), error) < 0 ||
                add_authorities(injection, tree, error) < 0 ||
                add_identity(injection, tree, error) < 0)
                return -1;
        return mount_seal(tree, error);
}

/* Where a file of the tree appears, besides the tree itself. */
typedef struct Appearance {
        const char *name; /* in the tree */
        const char *path; /* in the container */
        bool wanted;
        int place;
} Appearance;

static int make_places(const Rootfs *rootfs, Appearance *items, size_t count, Error *error) {
        for (size_t i = 0; i < count; i++)
                if (items[i].wanted &&
                        rootfs_make_file(rootfs, items[i].path, &items[i].place, error) < 0)
                        return -1;
        return 0;
}

static int attach_all(int tree, int place, const Appearance *items, size_t count, Error *error) {
        if (mount_attach(tree, place, DIRECTORY, error) < 0)
                return -1;
        for (size_t i = 0; i < count; i++)
                if (items[i].wanted && mount_attach_file(tree, items[i].name, items[i].place,
                                               items[i].path, error) < 0)
                        return -1;
        return 0;
}

static int mount_files(const Injection *injection, Error *error) {
        const MountOptions options = {
                .size = TREE_SIZE,
                .mode = 0755,
                .uid = injection->rootfs->owner_uid,
                .gid = injection->rootfs->owner_gid,
                .label = injection->label,
                .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        };
        Appearance items[] = {
                { "profile.sh", PROFILE_SCRIPT_PATH, true, -1 },
                { "passwd", "/etc/passwd", injection->identity->add_user, -1 },
                { "group", "/etc/group", injection->identity->add_group, -1 },
        };
        const size_t count = sizeof(items) / sizeof(*items);
        cleanup_fd int tree = -1, place = -1;
        int r;

        if (mount_new(&options, &tree, error) < 0 || fill_tree(injection, tree, error) < 0 ||
                rootfs_make_directory(injection->rootfs, DIRECTORY, &place, error) < 0)
                return -1;
        r = make_places(injection->rootfs, items, count, error);
        if (r == 0)
                r = attach_all(tree, place, items, count, error);
        for (size_t i = 0; i < count; i++)
                (void)fd_close(items[i].place);
        return r;
}

static int mount_home(const Injection *injection, Error *error) {
        const MountOptions options = {
                .size = injection->home_size,
                .mode = 0755,
                .uid = injection->home_uid,
                .gid = injection->home_gid,
                .label = injection->label,
                .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
        };
        cleanup_fd int tree = -1, place = -1;
        int r = rootfs_is_vacant(injection->rootfs, IDENTITY_HOME, error);

        if (r <= 0)
                return r;
        if (rootfs_make_directory(injection->rootfs, IDENTITY_HOME, &place, error) < 0 ||
                mount_new(&options, &tree, error) < 0)
                return -1;
        return mount_attach(tree, place, IDENTITY_HOME, error);
}

int inject(const Injection *injection, Error *error) {
        if (mount_files(injection, error) < 0)
                return -1;
        return mount_home(injection, error);
}
