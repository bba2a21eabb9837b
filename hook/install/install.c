/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The files are gathered first, the ones that configure the hook from a folder (a ConfigMap's
 * volume), the ones that register it from the runtime; then one owned_apply() makes the node have
 * them. Whether the runtime must be restarted is decided by time: it must when it is older than the
 * registration. So a run that ended between the two is finished by the next.
 */
#include "hook/install/install.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/syscalls.h"
#include "hook/install/owned.h"
#include "hook/install/restart.h"
#include "hook/install/runtime.h"
#include "hook/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OWNED_LIST "/etc/navigator/installed"
#define SETTINGS_SIZE_MAX (1024U * 1024U)
#define PROGRAM_SIZE_MAX (64U * 1024U * 1024U)
#define RESTART_SECONDS 60U
#define PODS_DIRECTORY NODE_RUN_DIRECTORY "/pods" /* a folder for each sandboxed pod that runs */

static int open_root(const InstallOptions *options, int *ret_fd, Error *error) {
        int fd = open(options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot open the node's root directory '%s'", options->root);
        *ret_fd = fd;
        return 0;
}

/* One file of ours, to the node; a setting that the folder lacks is one that the node shall not
 * have. */
static int want_copy(Owned *owned, const char *source, const char *target, size_t limit,
        mode_t mode, bool may_miss, Error *error) {
        cleanup_free char *data = NULL;
        size_t size;

        if (file_read(AT_FDCWD, source, limit, &data, &size, error) < 0)
                return may_miss && error->code == ENOENT ? 0 : -1;
        return owned_want(owned, target, data, size, mode, error);
}

static int want_policies(Owned *owned, const char *folder, Error *error) {
        DIR *directory = opendir(folder);
        struct dirent *entry;
        int r = 0;

        if (directory == NULL)
                return errno == ENOENT
                               ? 0
                               : error_set(error, ERROR_OS, errno, "cannot list '%s'", folder);
        while (r == 0 && (entry = readdir(directory)) != NULL) {
                char source[PATH_MAX], target[PATH_MAX];

                if (entry->d_name[0] == '.') /* also the ..data of a ConfigMap's volume */
                        continue;
                r = snprintf(source, sizeof(source), "%s/%s", folder, entry->d_name);
                if (r < 0 || (size_t)r >= sizeof(source)) {
                        r = error_set(error, ERROR_LIMIT, 0, "'%s' is too long a path", folder);
                        break;
                }
                (void)snprintf(target, sizeof(target), "/etc/navigator/policies/%s", entry->d_name);
                r = want_copy(owned, source, target, SETTINGS_SIZE_MAX, 0644, false, error);
        }
        (void)closedir(directory);
        return r;
}

static int want_settings(Owned *owned, const char *folder, Error *error) {
        static const char *const names[] = { "node.json", "ceiling.yaml",
                "certificate-authorities.pem" };
        char source[PATH_MAX], target[PATH_MAX];

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                (void)snprintf(source, sizeof(source), "%s/%s", folder, names[i]);
                (void)snprintf(target, sizeof(target), "/etc/navigator/%s", names[i]);
                if (want_copy(owned, source, target, SETTINGS_SIZE_MAX, 0644, true, error) < 0)
                        return -1;
        }
        (void)snprintf(source, sizeof(source), "%s/policies", folder);
        return want_policies(owned, source, error);
}

/* The latest change of what the runtime reads only at its start. */
static int registration_time(
        int root, const Runtime *runtime, struct timespec *ret_changed, Error *error) {
        struct timespec latest = { 0 };

        for (size_t i = 0; i < runtime->file_count; i++) {
                cleanup_fd int fd =
                        sys_openat2_in_root(root, runtime->files[i].path, O_PATH | O_CLOEXEC, 0);
                struct stat status;

                if (fd < 0 || fstat(fd, &status) < 0)
                        return error_set(error, ERROR_OS, errno, "cannot stat '%s' on the node",
                                runtime->files[i].path);
                if (status.st_mtim.tv_sec > latest.tv_sec)
                        latest = status.st_mtim;
        }
        *ret_changed = latest;
        return 0;
}

static int reload(const InstallOptions *options, int root, const Runtime *runtime, Error *error) {
        struct timespec changed;
        bool stale;

        if (registration_time(root, runtime, &changed, error) < 0 ||
                runtime_is_older(root, runtime->site->socket, changed, &stale, error) < 0)
                return -1;
        if (!stale)
                return INSTALL_DONE;
        if (!options->restart)
                return INSTALL_RESTART_WANTED;
        return runtime_restart(root, runtime->site->socket, RESTART_SECONDS, error) < 0
                       ? -1
                       : INSTALL_RESTARTED;
}

int install_node(const InstallOptions *options, Error *error) {
        cleanup(runtime_freep) Runtime runtime = { 0 };
        cleanup(owned_freep) Owned *owned = NULL;
        cleanup_free char *base_spec = NULL;
        cleanup_fd int root = -1;
        char hook[PATH_MAX];
        size_t size;

        (void)snprintf(hook, sizeof(hook), "%s/bin/navigator-hook", options->directory);
        if (open_root(options, &root, error) < 0 ||
                file_read(AT_FDCWD, options->base_spec, SETTINGS_SIZE_MAX, &base_spec, &size,
                        error) < 0)
                return -1;
        if (runtime_detect(&(RuntimeRequest){ .root = root, .hook = hook, .base_spec = base_spec },
                    &runtime, error) < 0 ||
                owned_open(root, OWNED_LIST, &owned, error) < 0 ||
                want_copy(owned, options->program, hook, PROGRAM_SIZE_MAX, 0755, false, error) <
                        0 ||
                want_settings(owned, options->settings, error) < 0)
                return -1;
        for (size_t i = 0; i < runtime.file_count; i++)
                if (owned_want(owned, runtime.files[i].path, runtime.files[i].text,
                            strlen(runtime.files[i].text), 0644, error) < 0)
                        return -1;
        if (owned_apply(owned, error) < 0)
                return -1;
        return reload(options, root, &runtime, error);
}

/* A pod whose container starts again needs the hook: it must not find it gone. */
static int has_pods(int root, bool *ret_has, Error *error) {
        int fd = sys_openat2_in_root(root, PODS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        struct dirent *entry;
        DIR *directory;

        *ret_has = false;
        if (fd < 0)
                return errno == ENOENT ? 0
                                       : error_set(error, ERROR_OS, errno,
                                                 "cannot open '" PODS_DIRECTORY "' on the node");
        directory = fdopendir(fd);
        if (directory == NULL) {
                (void)fd_close(fd);
                return error_set(error, ERROR_OS, ENOMEM, "cannot list '" PODS_DIRECTORY "'");
        }
        while (!*ret_has && (entry = readdir(directory)) != NULL)
                *ret_has = entry->d_name[0] != '.';
        (void)closedir(directory);
        return 0;
}

int uninstall_node(const InstallOptions *options, Error *error) {
        cleanup(owned_freep) Owned *owned = NULL;
        cleanup_fd int root = -1;
        unsigned left = 0;
        bool pods;

        if (open_root(options, &root, error) < 0 || has_pods(root, &pods, error) < 0)
                return -1;
        if (pods)
                return INSTALL_KEPT;
        if (owned_open(root, OWNED_LIST, &owned, error) < 0 ||
                owned_remove(owned, &left, error) < 0)
                return -1;
        if (left > 0)
                return error_set(error, ERROR_DENIED, 0,
                        "%u files below /etc/navigator or of the runtime were changed since and "
                        "stay",
                        left);
        return INSTALL_DONE;
}
