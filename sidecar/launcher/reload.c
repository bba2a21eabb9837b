/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/launcher/reload.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "policy/ceiling.h"
#include "policy/flat.h"
#include "policy/load.h"
#include "sidecar/launcher/serve_egress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_NAME "policy.yaml"

/* 0 with the text; 1 when there is no such volume. */
static int read_file(const Launcher *launcher, char **ret_text, size_t *ret_size, Error *error) {
        cleanup_fd int directory =
                open(launcher->options->policy_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        cleanup_fd int fd = -1;
        struct stat about;

        if (directory < 0)
                return 1;
        /* The volume may be one that the workload writes, too: a FIFO there must not hold us. */
        fd = sys_openat2_in_root(
                directory, FILE_NAME, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
        if (fd < 0 || fstat(fd, &about) < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s/%s'",
                        launcher->options->policy_directory, FILE_NAME);
        if (!S_ISREG(about.st_mode))
                return error_set(error, ERROR_INPUT, 0, "'%s/%s' is not a regular file",
                        launcher->options->policy_directory, FILE_NAME);
        return file_read_fd(fd, FILE_NAME, POLICY_TEXT_MAX, ret_text, ret_size, error);
}

/* Within the node's ceiling, as the hook found it when the container started. */
static int load(
        const Target *target, const char *text, size_t size, Policy **ret_policy, Error *error) {
        const PolicyText source = { .name = FILE_NAME, .text = text, .size = size };
        cleanup(policy_unrefp) Policy *policy = NULL;

        if (policy_load(&source, NULL, JAIL_DROP_IDENTITY, &policy, error) < 0)
                return -1;
        if (target->policy->ceiling != NULL)
                return policy_bound(policy, target->policy->ceiling, ret_policy, error);
        *ret_policy = take_ptr(policy);
        return 0;
}

static bool same_paths(const Policy *one, const Policy *other) {
        if (one->path_count != other->path_count || one->include_workdir != other->include_workdir)
                return false;
        for (uint32_t i = 0; i < one->path_count; i++)
                if (one->paths[i].access != other->paths[i].access ||
                        strcmp(one->paths[i].path, other->paths[i].path) != 0)
                        return false;
        return true;
}

static bool waits_for_restart(const Policy *now, const Policy *wanted) {
        return !same_paths(now, wanted) || now->landlock != wanted->landlock ||
               strcmp(now->user, wanted->user) != 0 || strcmp(now->group, wanted->group) != 0;
}

static void audit_refused(
        Launcher *launcher, const uint8_t hash[static SHA256_SIZE], const char *reason) {
        char text[SHA256_TEXT_SIZE];
        AuditEvent event;

        sha256_text(hash, text);
        audit_begin(&event, "launcher", "policy_refused");
        audit_text(&event, "policy_sha256", text);
        audit_text(&event, "reason", reason);
        if (audit_write(&launcher->audit, &event) < 0)
                audit_lose(&launcher->audit);
}

/* 0: taken or refused; -1: it has to be tried again. */
static int adopt(Launcher *launcher, const Target *target, const char *text, size_t size,
        const uint8_t hash[static SHA256_SIZE]) {
        cleanup(policy_unrefp) Policy *policy = NULL;
        Packer packer = packer_growing(POLICY_FLAT_SIZE_MAX);
        Error error = { 0 };
        int r = load(target, text, size, &policy, &error);

        if (r == 0) {
                policy_pack(policy, &packer);
                r = packer.failed ? error_set(&error, ERROR_LIMIT, 0,
                                            "the policy is too large to be handed on")
                                  : 0;
        }
        if (r == 0) {
                r = serve_set_policy(launcher, packer.data, packer.size, hash,
                        waits_for_restart(target->policy, policy)
                                ? "filesystem_policy, landlock or process have changed"
                                : NULL);
        } else {
                audit_refused(launcher, hash, error.text);
                (void)log_error(&error, "the policy stays as it was");
                r = 0;
        }
        packer_done(&packer);
        return r;
}

void reload_look(Launcher *launcher, int64_t now) {
        cleanup_free char *text = NULL;
        uint8_t hash[SHA256_SIZE];
        Target *target = NULL;
        Error error = { 0 };
        size_t size = 0;
        int r;

        if (now < launcher->reload_at || launcher->policy_fd < 0)
                return;
        launcher->reload_at = now + RELOAD_INTERVAL_MS;
        if (targets_select(&launcher->targets, "", &target, NULL) < 0 || target->policy == NULL ||
                strncmp(target->record.policy_source, "configmap/", strlen("configmap/")) != 0)
                return;
        r = read_file(launcher, &text, &size, &error);
        if (r != 0)
                return; /* in the middle of a swap, or no volume: what is in force stays */
        sha256(text, size, hash);
        if (memcmp(hash, launcher->reload_seen, sizeof(hash)) == 0)
                return;
        if (memcmp(hash, launcher->policy_hash, sizeof(hash)) != 0 &&
                adopt(launcher, target, text, size, hash) < 0)
                return;
        memcpy(launcher->reload_seen, hash, sizeof(hash));
        launcher->policy_deadline = 0;
}
