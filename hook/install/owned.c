/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The list has a line a file: its SHA-256 and its path; a path may stand twice while a replacement
 * is under way. Paths are resolved inside the node's root (openat2), because the installer sees it
 * mounted somewhere else and an absolute symlink would lead out of it.
 */
#include "hook/install/owned.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LIST_SIZE_MAX (1024U * 1024U)
#define FILE_SIZE_MAX (64U * 1024U * 1024U) /* the hook itself is the largest */

typedef struct OwnedFile {
        struct OwnedFile *next;
        char *path;
        char digest[SHA256_TEXT_SIZE];
        void *data; /* NULL for one that an earlier run wrote */
        size_t size;
        mode_t mode;
} OwnedFile;

struct Owned {
        int root;
        char *list;
        OwnedFile *written; /* by earlier runs, the last one first: what refers to a file goes
                               before it */
        OwnedFile *wanted;  /* in the order of the calls: what refers to a file comes after it */
        OwnedFile **wanted_end;
};

static OwnedFile *file_free(OwnedFile *file) {
        if (file != NULL) {
                free(file->path);
                free(file->data);
                free(file);
        }
        return NULL;
}
DEFINE_CLEANUP(OwnedFile *, file_free);

static void files_free(OwnedFile *files) {
        while (files != NULL) {
                OwnedFile *next = files->next;

                files = file_free(files);
                files = next;
        }
}

Owned *owned_free(Owned *owned) {
        if (owned != NULL) {
                files_free(owned->written);
                files_free(owned->wanted);
                free(owned->list);
                free(owned);
        }
        return NULL;
}

static int out_of_memory(Error *error) {
        return error_set(error, ERROR_OS, ENOMEM, "cannot remember a file");
}

static int make_file(const char *path, size_t path_size, const void *data, size_t size,
        OwnedFile **ret_file, Error *error) {
        cleanup(file_freep) OwnedFile *file = calloc(1, sizeof(*file));

        if (file == NULL)
                return out_of_memory(error);
        file->path = strndup(path, path_size);
        if (data != NULL)
                file->data = malloc(size + 1);
        if (file->path == NULL || (data != NULL && file->data == NULL))
                return out_of_memory(error);
        if (data != NULL)
                memcpy(file->data, data, size);
        file->size = size;
        *ret_file = take_ptr(file);
        return 0;
}

/* -- inside the node's root */

/* The directory that holds an absolute path, and the last component. 1: it is missing. */
static int open_parent(
        int root, const char *path, int *ret_fd, const char **ret_name, Error *error) {
        char parent[PATH_MAX];
        const char *slash = strrchr(path, '/');
        size_t length = slash == path ? 1 : (size_t)(slash - path);
        int fd;

        if (length >= sizeof(parent))
                return error_set(error, ERROR_LIMIT, 0, "'%s' is too long a path", path);
        memcpy(parent, path, length);
        parent[length] = '\0';
        fd = sys_openat2_in_root(root, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (fd < 0 && errno == ENOENT)
                return 1;
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s' on the node", parent);
        *ret_fd = fd;
        *ret_name = slash + 1;
        return 0;
}

/* Makes the directories on the way to an absolute path, first to last. */
static int make_parents(int root, const char *path, Error *error) {
        for (const char *slash = strchr(path + 1, '/'); slash != NULL;
                slash = strchr(slash + 1, '/')) {
                cleanup_free char *parent = strndup(path, (size_t)(slash - path));
                cleanup_fd int directory = -1;
                const char *name;

                if (parent == NULL)
                        return out_of_memory(error);
                if (open_parent(root, parent, &directory, &name, error) != 0)
                        return -1;
                if (mkdirat(directory, name, 0755) < 0 && errno != EEXIST)
                        return error_set(
                                error, ERROR_OS, errno, "cannot make '%s' on the node", parent);
        }
        return 0;
}

/* 1: the file is not there. */
static int digest_on_node(const Owned *owned, const char *path,
        char ret_digest[static SHA256_TEXT_SIZE], Error *error) {
        cleanup_free char *data = NULL;
        cleanup_fd int directory = -1;
        uint8_t digest[SHA256_SIZE];
        const char *name;
        size_t size;
        int r = open_parent(owned->root, path, &directory, &name, error);

        if (r != 0)
                return r;
        if (file_read(directory, name, FILE_SIZE_MAX, &data, &size, error) < 0)
                return error->code == ENOENT ? 1 : -1;
        sha256(data, size, digest);
        sha256_text(digest, ret_digest);
        return 0;
}

/* -- the list */

static int read_list(Owned *owned, const char *text, Error *error) {
        while (*text != '\0') {
                size_t length = strcspn(text, "\n");
                OwnedFile *file;

                /* digest, two blanks, path: what `sha256sum --check` reads too */
                if (length < SHA256_TEXT_SIZE + 2 ||
                        strncmp(text + SHA256_TEXT_SIZE - 1, "  /", 3) != 0)
                        return error_set(error, ERROR_INPUT, 0,
                                "'%s' is not a list that this installer wrote", owned->list);
                if (make_file(text + SHA256_TEXT_SIZE + 1, length - SHA256_TEXT_SIZE - 1, NULL, 0,
                            &file, error) < 0)
                        return -1;
                memcpy(file->digest, text, SHA256_TEXT_SIZE - 1);
                file->next = owned->written;
                owned->written = file;
                text += length + (text[length] == '\n');
        }
        return 0;
}

int owned_open(int root, const char *list, Owned **ret_owned, Error *error) {
        cleanup(owned_freep) Owned *owned = calloc(1, sizeof(*owned));
        cleanup_free char *text = NULL;
        cleanup_fd int directory = -1;
        const char *name;
        size_t size;
        int r;

        if (owned == NULL || (owned->list = strdup(list)) == NULL)
                return out_of_memory(error);
        owned->root = root;
        owned->wanted_end = &owned->wanted;
        r = open_parent(root, list, &directory, &name, error);
        if (r < 0)
                return -1;
        if (r == 0 && file_read(directory, name, LIST_SIZE_MAX, &text, &size, error) < 0 &&
                error->code != ENOENT)
                return -1;
        if (text != NULL && read_list(owned, text, error) < 0)
                return -1;
        *ret_owned = take_ptr(owned);
        return 0;
}

static int write_file(const Owned *owned, const char *path, const void *data, size_t size,
        mode_t mode, Error *error) {
        cleanup_fd int directory = -1;
        const char *name;

        if (make_parents(owned->root, path, error) < 0 ||
                open_parent(owned->root, path, &directory, &name, error) != 0)
                return -1;
        if (file_write_atomic(directory, name, data, size, mode, error) < 0)
                return error_context(error, "'%s' on the node", path);
        return 0;
}

static int write_list(const Owned *owned, bool with_old, Error *error) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);

        if (stream == NULL)
                return out_of_memory(error);
        for (const OwnedFile *file = owned->wanted; file != NULL; file = file->next)
                (void)fprintf(stream, "%s  %s\n", file->digest, file->path);
        for (const OwnedFile *file = owned->written; with_old && file != NULL; file = file->next)
                (void)fprintf(stream, "%s  %s\n", file->digest, file->path);
        if (fclose(stream) == EOF)
                return out_of_memory(error);
        return write_file(owned, owned->list, text, size, 0644, error);
}

/* -- what the caller asks for */

int owned_want(
        Owned *owned, const char *path, const void *data, size_t size, mode_t mode, Error *error) {
        uint8_t digest[SHA256_SIZE];
        OwnedFile *file;

        if (path[0] != '/' || strchr(path, '\n') != NULL)
                return error_set(error, ERROR_INPUT, 0, "'%s' is not an absolute path", path);
        if (make_file(path, strlen(path), data, size, &file, error) < 0)
                return -1;
        file->mode = mode;
        sha256(data, size, digest);
        sha256_text(digest, file->digest);
        *owned->wanted_end = file;
        owned->wanted_end = &file->next;
        return 0;
}

static bool was_written(const Owned *owned, const char *path, const char *digest) {
        for (const OwnedFile *file = owned->written; file != NULL; file = file->next)
                if (strcmp(file->path, path) == 0 && strcmp(file->digest, digest) == 0)
                        return true;
        return false;
}

static bool is_wanted(const Owned *owned, const char *path) {
        for (const OwnedFile *file = owned->wanted; file != NULL; file = file->next)
                if (strcmp(file->path, path) == 0)
                        return true;
        return false;
}

/* Missing, already as wanted, or as we wrote it: all else is not ours to touch. */
static int check_replaceable(const Owned *owned, const OwnedFile *file, Error *error) {
        char digest[SHA256_TEXT_SIZE];
        int r = digest_on_node(owned, file->path, digest, error);

        if (r != 0)
                return r < 0 ? -1 : 0;
        if (strcmp(digest, file->digest) == 0 || was_written(owned, file->path, digest))
                return 0;
        return error_set(error, ERROR_DENIED, 0,
                "'%s' on the node was not written by this installer, or was changed since: move it "
                "away, or take over what it says",
                file->path);
}

/* Writes what differs, so that a file's time says when it last changed. */
static int apply_file(const Owned *owned, const OwnedFile *file, Error *error) {
        char digest[SHA256_TEXT_SIZE];
        int r = digest_on_node(owned, file->path, digest, error);

        if (r < 0)
                return -1;
        if (r == 0 && strcmp(digest, file->digest) == 0)
                return 0;
        return write_file(owned, file->path, file->data, file->size, file->mode, error);
}

/* 1: it was changed since, and stays. */
static int remove_file(const Owned *owned, const char *path, Error *error) {
        char digest[SHA256_TEXT_SIZE];
        cleanup_fd int directory = -1;
        const char *name;
        int r = digest_on_node(owned, path, digest, error);

        if (r != 0)
                return r < 0 ? -1 : 0;
        if (!was_written(owned, path, digest))
                return 1;
        if (open_parent(owned->root, path, &directory, &name, error) != 0)
                return -1;
        if (unlinkat(directory, name, 0) < 0)
                return error_set(error, ERROR_OS, errno, "cannot remove '%s' on the node", path);
        return 0;
}

int owned_apply(Owned *owned, Error *error) {
        for (const OwnedFile *file = owned->wanted; file != NULL; file = file->next)
                if (check_replaceable(owned, file, error) < 0)
                        return -1;
        if (write_list(owned, true, error) < 0)
                return -1;
        for (const OwnedFile *file = owned->wanted; file != NULL; file = file->next)
                if (apply_file(owned, file, error) < 0)
                        return -1;
        for (const OwnedFile *file = owned->written; file != NULL; file = file->next)
                if (!is_wanted(owned, file->path) && remove_file(owned, file->path, error) < 0)
                        return -1;
        return write_list(owned, false, error);
}

int owned_remove(Owned *owned, unsigned *ret_left, Error *error) {
        cleanup_fd int directory = -1;
        const char *name;
        unsigned left = 0;
        int r;

        for (const OwnedFile *file = owned->written; file != NULL; file = file->next) {
                r = remove_file(owned, file->path, error);
                if (r < 0)
                        return -1;
                left += r > 0;
        }
        r = open_parent(owned->root, owned->list, &directory, &name, error);
        if (r == 0 && unlinkat(directory, name, 0) < 0 && errno != ENOENT)
                return error_set(
                        error, ERROR_OS, errno, "cannot remove '%s' on the node", owned->list);
        if (r < 0)
                return -1;
        *ret_left = left;
        return 0;
}
