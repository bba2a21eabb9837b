/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/registry.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/syscalls.h"
#include "hook/state.h"
#include "policy/policy.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define SIDECAR_MAGIC 0x3153564eU /* "NVS1" */
#define SIDECAR_SIZE 64U
#define PODS "pods"
#define LOCK_TRIES 16U

/* Opens a directory of ours, creating it where it is missing. */
static int open_directory(int parent, const char *name, int *ret_fd, Error *error) {
        cleanup_fd int fd = -1;
        struct stat status;

        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
                return error_set(error, ERROR_OS, errno, "cannot create '%s'", name);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s'", name);
        if (status.st_uid != 0 || (status.st_mode & 022) != 0)
                return error_set(error, ERROR_DENIED, 0,
                        "directory '%s' can be written by others than root: chown root, chmod go-w",
                        name);
        *ret_fd = take_fd(fd);
        return 0;
}

int registry_open(const char *run_directory, int *ret_pods, Error *error) {
        cleanup_fd int run = -1;

        if (open_directory(AT_FDCWD, run_directory, &run, error) < 0)
                return -1;
        return open_directory(run, PODS, ret_pods, error);
}

/* A directory that was removed between opening and locking has no name any more. */
static bool is_still_there(int pods, const char *pod, int fd) {
        struct stat named, opened;

        return fstatat(pods, pod, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &opened) == 0 &&
               named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

int registry_open_pod(int pods, const char *pod, int *ret_pod, Error *error) {
        assert(state_name_is_plain(pod));
        for (unsigned i = 0; i < LOCK_TRIES; i++) {
                cleanup_fd int fd = -1;

                if (open_directory(pods, pod, &fd, error) < 0)
                        return -1;
                while (flock(fd, LOCK_EX) < 0)
                        if (errno != EINTR)
                                return error_set(error, ERROR_OS, errno,
                                        "cannot lock pod directory '%s'", pod);
                if (is_still_there(pods, pod, fd)) {
                        *ret_pod = take_fd(fd);
                        return 0;
                }
        }
        return error_set(error, ERROR_OS, EBUSY, "pod directory '%s' keeps being removed", pod);
}

static int make_name(
        const char *stem, const char *suffix, char ret_name[static NAME_MAX], Error *error) {
        int r = snprintf(ret_name, NAME_MAX, "%s%s", stem, suffix);

        if (!state_name_is_plain(stem) || r < 0 || r >= NAME_MAX)
                return error_set(error, ERROR_INPUT, 0, "'%s' cannot be part of a file name", stem);
        return 0;
}

int registry_add_record(int pod, const Record *record, Error *error) {
        Packer packer = packer_growing(RECORD_SIZE_MAX);
        char name[NAME_MAX];
        int r = -1;

        record_pack(record, &packer);
        if (packer.failed)
                (void)error_set(error, ERROR_LIMIT, 0,
                        "the container's record is larger than %u bytes", RECORD_SIZE_MAX);
        else if (make_name(record->container_id, REGISTRY_RECORD, name, error) == 0)
                r = file_write_atomic(pod, name, packer.data, packer.size, 0600, error);
        packer_done(&packer);
        return r;
}

int registry_add_sidecar(int pod, const char *id, const Sidecar *sidecar, Error *error) {
        uint8_t bytes[SIDECAR_SIZE];
        Packer packer = packer_in(bytes, sizeof(bytes));
        char name[NAME_MAX];

        pack_u32(&packer, SIDECAR_MAGIC);
        pack_u32(&packer, sidecar->pid);
        pack_u64(&packer, sidecar->start_time);
        pack_u64(&packer, sidecar->socket_directory.device);
        pack_u64(&packer, sidecar->socket_directory.inode);
        assert(!packer.failed);
        if (make_name(id, REGISTRY_SIDECAR, name, error) < 0)
                return -1;
        return file_write_atomic(pod, name, packer.data, packer.size, 0600, error);
}

/* 1: not there. */
static int read_file(
        int pod, const char *file, size_t limit, char **ret_data, size_t *ret_size, Error *error) {
        Error reason = { 0 };

        if (file_read(pod, file, limit, ret_data, ret_size, &reason) == 0)
                return 0;
        if (reason.code == ENOENT)
                return 1;
        if (error != NULL)
                *error = reason;
        return -1;
}

int registry_read_record(int pod, const char *file, RegistryRecord *ret_record, Error *error) {
        cleanup(registry_record_freep) RegistryRecord record = { 0 };
        int r = read_file(pod, file, RECORD_SIZE_MAX, &record.data, &record.size, error);

        if (r != 0)
                return r;
        if (record_unpack(record.data, record.size, &record.record, error) < 0)
                return error_context(error, "'%s'", file);
        *ret_record = take(record, (RegistryRecord){ 0 });
        return 0;
}

RegistryRecord registry_record_free(RegistryRecord record) {
        free(record.record.environment);
        free(record.data);
        return (RegistryRecord){ 0 };
}

int registry_read_sidecar(int pod, const char *file, Sidecar *ret_sidecar, Error *error) {
        cleanup_free char *data = NULL;
        Sidecar sidecar = { 0 };
        Unpacker fields;
        bool ours;
        size_t size;
        int r = read_file(pod, file, SIDECAR_SIZE, &data, &size, error);

        if (r != 0)
                return r;
        fields = unpacker(data, size);
        ours = unpack_u32(&fields) == SIDECAR_MAGIC;
        sidecar.pid = unpack_u32(&fields);
        sidecar.start_time = unpack_u64(&fields);
        sidecar.socket_directory.device = unpack_u64(&fields);
        sidecar.socket_directory.inode = unpack_u64(&fields);
        if (!unpack_end(&fields) || !ours)
                return error_set(
                        error, ERROR_PEER, 0, "'%s' is not a sidecar of this version", file);
        *ret_sidecar = sidecar;
        return 0;
}

static bool has_suffix(const char *file, const char *suffix) {
        size_t whole = strlen(file), wanted = strlen(suffix);

        return whole > wanted && strcmp(file + whole - wanted, suffix) == 0;
}

/* Which process a file of either kind is about. 1: not there. */
static int read_process(
        int pod, const char *file, uint32_t *ret_pid, uint64_t *ret_start_time, Error *error) {
        cleanup(registry_record_freep) RegistryRecord record = { 0 };
        Sidecar sidecar = { 0 };
        int r;

        if (has_suffix(file, REGISTRY_SIDECAR)) {
                r = registry_read_sidecar(pod, file, &sidecar, error);
                if (r == 0) {
                        *ret_pid = sidecar.pid;
                        *ret_start_time = sidecar.start_time;
                }
                return r;
        }
        r = registry_read_record(pod, file, &record, error);
        if (r == 0) {
                *ret_pid = record.record.pid;
                *ret_start_time = record.record.start_time;
        }
        return r;
}

int registry_has(
        int pod, const char *id, const char *suffix, const Process *process, Error *error) {
        char name[NAME_MAX];
        uint64_t start_time;
        uint32_t pid;
        int r;

        if (make_name(id, suffix, name, error) < 0)
                return -1;
        r = read_process(pod, name, &pid, &start_time, error);
        if (r != 0)
                return r;
        return pid == process->pid && start_time == process->start_time ? 0 : 1;
}

int registry_keep_policy(
        int pod, const char *container, const char *text, size_t size, Error *error) {
        char name[NAME_MAX];

        if (make_name(container, REGISTRY_POLICY, name, error) < 0)
                return -1;
        return file_write_atomic(pod, name, text, size, 0600, error);
}

int registry_kept_policy(
        int pod, const char *container, char **ret_text, size_t *ret_size, Error *error) {
        char name[NAME_MAX];

        if (make_name(container, REGISTRY_POLICY, name, error) < 0)
                return -1;
        return read_file(pod, name, POLICY_TEXT_MAX, ret_text, ret_size, error);
}

int registry_each(int pod, const char *suffix, RegistryVisit *visit, void *data) {
        int fd = openat(pod, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;
        int r = 0;

        if (directory == NULL) {
                (void)fd_close(fd);
                return 0;
        }
        while (r == 0 && (entry = readdir(directory)) != NULL)
                if (has_suffix(entry->d_name, suffix))
                        r = visit(pod, entry->d_name, data);
        (void)closedir(directory);
        return r;
}

typedef struct Sweep {
        int proc;
        const char *id; /* of a container that is gone, whatever its processes say; NULL = none */
} Sweep;

static bool names_container(const char *file, const char *id) {
        size_t length = id != NULL ? strlen(id) : 0;

        return length > 0 && strncmp(file, id, length) == 0 &&
               (strcmp(file + length, REGISTRY_RECORD) == 0 ||
                       strcmp(file + length, REGISTRY_SIDECAR) == 0);
}

/* A file that cannot be read any more is of no use to anybody, and goes too. */
static int sweep_file(int pod, const char *file, void *data) {
        const Sweep *sweep = data;
        cleanup(process_closep) Process process = PROCESS_NONE;
        uint64_t start_time;
        uint32_t pid;

        if (!names_container(file, sweep->id) &&
                read_process(pod, file, &pid, &start_time, NULL) == 0 &&
                process_open_known(sweep->proc, pid, start_time, &process, NULL) == 0)
                return 0;
        (void)unlinkat(pod, file, 0);
        return 0;
}

static void sweep_pod(int pod, Sweep *sweep) {
        (void)registry_each(pod, REGISTRY_RECORD, sweep_file, sweep);
        (void)registry_each(pod, REGISTRY_SIDECAR, sweep_file, sweep);
}

void registry_sweep(int proc, int pod) {
        Sweep sweep = { .proc = proc };

        sweep_pod(pod, &sweep);
}

static int found(int pod, const char *file, void *data) {
        return 1;
}

static int unlink_file(int pod, const char *file, void *data) {
        (void)unlinkat(pod, file, 0);
        return 0;
}

static int remove_from_pod(int pods, const char *name, void *data) {
        cleanup_fd int pod = -1;

        if (!state_name_is_plain(name))
                return 0;
        if (registry_open_pod(pods, name, &pod, NULL) < 0)
                return 0;
        sweep_pod(pod, data);
        if (registry_each(pod, REGISTRY_RECORD, found, NULL) != 0 ||
                registry_each(pod, REGISTRY_SIDECAR, found, NULL) != 0)
                return 0;
        (void)registry_each(pod, REGISTRY_POLICY, unlink_file, NULL);
        (void)unlinkat(pods, name, AT_REMOVEDIR);
        return 0;
}

void registry_remove(int proc, int pods, const char *id) {
        Sweep sweep = { .proc = proc, .id = id };

        (void)registry_each(pods, "", remove_from_pod, &sweep);
}
