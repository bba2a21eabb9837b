/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Three texts of the kernel are put side by side, line by line; no library, no copy of a tree.
 * Paths in /proc/PID/cgroup are relative to the root of the reader's cgroup namespace, mounts may
 * show a part of a hierarchy (the fourth field of mountinfo): that prefix is taken off.
 */
#include "hook/cgroup.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)1024 * 1024) /* mountinfo of a node with hundreds of pods */

/* A piece of one of the texts. */
typedef struct Span {
        const char *at;
        size_t size;
} Span;

static Span span_until(const char *at, const char *stops) {
        return (Span){ .at = at, .size = strcspn(at, stops) };
}

static bool span_equal(Span span, const char *text) {
        return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

static bool span_copy(Span span, char *to, size_t room) {
        if (span.size >= room)
                return false;
        memcpy(to, span.at, span.size);
        to[span.size] = '\0';
        return true;
}

static const char *next_line(const char *at) {
        at += strcspn(at, "\n");
        return *at == '\n' ? at + 1 : at;
}

/* "4:cpu,cpuacct:/path": the controllers ("" for version 2) and the path. */
static bool split_cgroup(const char *line, Span *ret_name, Span *ret_path) {
        const char *at = line + strcspn(line, ":\n");

        if (*at != ':')
                return false;
        *ret_name = span_until(at + 1, ":\n");
        at = ret_name->at + ret_name->size;
        if (*at != ':' || at[1] != '/')
                return false;
        *ret_path = span_until(at + 1, "\n");
        return true;
}

/* Is the item among those of a comma list? */
static bool list_has(Span list, Span item) {
        for (const char *at = list.at; at < list.at + list.size;) {
                Span one = { .at = at, .size = 0 };

                while (at < list.at + list.size && *at != ',')
                        at++;
                one.size = (size_t)(at - one.at);
                if (one.size == item.size && memcmp(one.at, item.at, item.size) == 0)
                        return true;
                at++;
        }
        return false;
}

typedef struct Mount {
        Span root, point, type, options;
} Mount;

/* "36 35 0:30 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu" */
static bool split_mount(const char *line, Mount *ret_mount) {
        const char *end = line + strcspn(line, "\n");
        const char *at = line;
        Span fields[6];

        for (size_t i = 0; i < 6; i++) {
                fields[i] = span_until(at, " \n");
                at = fields[i].at + fields[i].size;
                if (*at != ' ')
                        return false;
                at++;
        }
        while (at < end && strncmp(at, "- ", 2) != 0)
                at += strcspn(at, " \n") + 1;
        if (at >= end)
                return false;
        ret_mount->root = fields[3];
        ret_mount->point = fields[4];
        ret_mount->type = span_until(at + 2, " \n");
        at = ret_mount->type.at + ret_mount->type.size;
        if (*at != ' ')
                return false;
        at += 1 + strcspn(at + 1, " \n"); /* the source */
        if (*at != ' ')
                return false;
        ret_mount->options = span_until(at + 1, " \n");
        return true;
}

static bool mount_serves(const Mount *mount, Span name) {
        Span first = { .at = name.at, .size = 0 };

        if (name.size == 0)
                return span_equal(mount->type, "cgroup2");
        while (first.size < name.size && name.at[first.size] != ',')
                first.size++;
        return span_equal(mount->type, "cgroup") && list_has(mount->options, first);
}

/* The container's path without what the mount does not show; false when it lies outside, or is the
 * mount's own root. */
static bool below(Span path, Span root, Span *ret_rest) {
        if (root.size == 1)
                root.size = 0; /* "/" */
        if (path.size <= root.size + 1 || memcmp(path.at, root.at, root.size) != 0 ||
                path.at[root.size] != '/')
                return false;
        *ret_rest = (Span){ .at = path.at + root.size + 1, .size = path.size - root.size - 1 };
        return true;
}

static bool find_mount(const char *mounts, Span name, Span path, Cgroup *ret_cgroup) {
        for (const char *line = mounts; *line != '\0'; line = next_line(line)) {
                Mount mount;
                Span rest;

                if (!split_mount(line, &mount) || !mount_serves(&mount, name) ||
                        !below(path, mount.root, &rest))
                        continue;
                /* mountinfo escapes blanks as \040; a hierarchy mounted on such a path is nobody's
                 * layout */
                if (memchr(mount.point.at, '\\', mount.point.size) != NULL)
                        continue;
                return span_copy(name, ret_cgroup->name, sizeof(ret_cgroup->name)) &&
                       span_copy(mount.point, ret_cgroup->mount, sizeof(ret_cgroup->mount)) &&
                       span_copy(rest, ret_cgroup->path, sizeof(ret_cgroup->path));
        }
        return false;
}

/* Is the container where we are, in this hierarchy? */
static bool is_ours(const char *own, Span name, Span path) {
        for (const char *line = own; *line != '\0'; line = next_line(line)) {
                Span our_name, our_path;

                if (split_cgroup(line, &our_name, &our_path) && our_name.size == name.size &&
                        memcmp(our_name.at, name.at, name.size) == 0)
                        return our_path.size == path.size &&
                               memcmp(our_path.at, path.at, path.size) == 0;
        }
        return false;
}

int cgroups_match(const char *container, const char *own, const char *mounts,
        Cgroup ret_cgroups[static RECORD_CGROUPS_MAX], uint32_t *ret_count, Error *error) {
        uint32_t count = 0;

        for (const char *line = container; *line != '\0'; line = next_line(line)) {
                Span name, path;

                if (!split_cgroup(line, &name, &path))
                        return error_set(error, ERROR_OS, EPROTO, "malformed /proc/PID/cgroup");
                if (is_ours(own, name, path))
                        continue;
                if (count == RECORD_CGROUPS_MAX)
                        return error_set(error, ERROR_LIMIT, 0, "more than %u cgroup hierarchies",
                                RECORD_CGROUPS_MAX);
                if (find_mount(mounts, name, path, &ret_cgroups[count]))
                        count++;
        }
        *ret_count = count;
        return 0;
}

static int open_one(const Cgroup *cgroup, int *ret_fd, Error *error) {
        cleanup_fd int mount = open(cgroup->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
        char file[CGROUP_PATH_MAX + sizeof("/cgroup.procs")];
        int fd;

        if (mount < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", cgroup->mount);
        (void)snprintf(file, sizeof(file), "%s/cgroup.procs", cgroup->path);
        /* below the mount and through no link: the last components of the path may have been named
         * by the container */
        fd = sys_openat2(
                mount, file, O_WRONLY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot open '%s' below '%s'", file, cgroup->mount);
        *ret_fd = fd;
        return 0;
}

static int open_all(const Cgroup *matched, uint32_t count, Cgroups *cgroups, Error *error) {
        for (uint32_t i = 0; i < count; i++) {
                if (open_one(&matched[i], &cgroups->fds[i], error) < 0)
                        return -1;
                memcpy(cgroups->names[i], matched[i].name, sizeof(matched[i].name));
                cgroups->count++;
        }
        return 0;
}

int cgroups_open(int proc, const Process *process, Cgroups *ret_cgroups, Error *error) {
        cleanup_free char *container = NULL, *own = NULL, *mounts = NULL;
        cleanup_free Cgroup *matched = calloc(RECORD_CGROUPS_MAX, sizeof(*matched));
        Cgroups cgroups = { 0 };
        uint32_t count = 0;
        size_t size;

        if (matched == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot list the container's cgroups");
        if (file_read(process->directory, "cgroup", TEXT_MAX, &container, &size, error) < 0 ||
                file_read(proc, "self/cgroup", TEXT_MAX, &own, &size, error) < 0 ||
                file_read(proc, "self/mountinfo", TEXT_MAX, &mounts, &size, error) < 0)
                return error_context(error, "cgroups of process %u", process->pid);
        if (cgroups_match(container, own, mounts, matched, &count, error) < 0)
                return -1;
        if (open_all(matched, count, &cgroups, error) < 0) {
                (void)cgroups_close(&cgroups);
                return -1;
        }
        *ret_cgroups = cgroups;
        return 0;
}

Cgroups *cgroups_close(Cgroups *cgroups) {
        if (cgroups != NULL)
                for (; cgroups->count > 0; cgroups->count--)
                        (void)fd_close(cgroups->fds[cgroups->count - 1]);
        return NULL;
}
