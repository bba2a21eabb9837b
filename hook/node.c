/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The file decides which image is handed the pods' descriptors, so a file that somebody else than
 * root can write is refused. It is the administrator's, so it is parsed without a jail.
 */
#include "hook/node.h"

#include "base/file.h"
#include "hook/tree.h"
#include "sidecar/wire/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NODE_SIZE_MAX ((size_t)256 * 1024)
#define HOME_SIZE_DEFAULT ((size_t)64 * 1024 * 1024)
#define HOME_SIZE_MAX (64ULL * 1024U * 1024U * 1024U)
/* Above the ranges that distributions and packages use (below 60000), below 65534, inside the 65536
 * ids a pod's user namespace has. */
#define SANDBOX_ID_DEFAULT 64750U
#define SANDBOX_ID_MAX 4294967294U

typedef enum KeyKind {
        KEY_TEXT,
        KEY_PATH,
        KEY_BOOLEAN,
        KEY_ID,
        KEY_SIZE,
        KEY_IMAGES,
        KEY_ENGINE
} KeyKind;

static const struct {
        const char *path;
        KeyKind kind;
        size_t offset;
} keys[] = {
        { "engine", KEY_ENGINE, offsetof(Node, engine) },
        { "run_directory", KEY_PATH, offsetof(Node, run_directory) },
        { "policy.directory", KEY_PATH, offsetof(Node, policy_directory) },
        { "policy.ceiling", KEY_PATH, offsetof(Node, ceiling) },
        { "certificate_authorities", KEY_PATH, offsetof(Node, authorities) },
        { "policy.image", KEY_BOOLEAN, offsetof(Node, image_policy) },
        { "sidecar.container", KEY_TEXT, offsetof(Node, sidecar_container) },
        { "sidecar.images", KEY_IMAGES, 0 },
        { "sandbox.uid", KEY_ID, offsetof(Node, sandbox_uid) },
        { "sandbox.gid", KEY_ID, offsetof(Node, sandbox_gid) },
        { "sandbox.home_size", KEY_SIZE, offsetof(Node, home_size) },
};
#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

static const Node defaults = {
        .run_directory = NODE_RUN_DIRECTORY,
        .policy_directory = "/etc/navigator/policies",
        .ceiling = "/etc/navigator/ceiling.yaml",
        .authorities = "/etc/navigator/certificate-authorities.pem",
        .image_policy = true,
        .sidecar_container = "navigator",
        .sidecar_images = { "localhost/navigator-sidecar:latest" },
        .sidecar_image_count = 1,
        .sandbox_uid = SANDBOX_ID_DEFAULT,
        .sandbox_gid = SANDBOX_ID_DEFAULT,
        .home_size = HOME_SIZE_DEFAULT,
};

/* Is `name` (of `length` bytes) a key, or the first half of some? */
static bool is_known(const char *name, size_t length) {
        for (size_t i = 0; i < KEY_COUNT; i++)
                if (strncmp(keys[i].path, name, length) == 0 &&
                        (keys[i].path[length] == '\0' || keys[i].path[length] == '.'))
                        return true;
        return false;
}

static int refuse_unknown(Value object, const char *section, Error *error) {
        void *iterator = NULL;
        const char *key;
        Value value;

        while (value_next(object, &iterator, &key, &value)) {
                char path[128];
                int r = snprintf(
                        path, sizeof(path), "%s%s%s", section, section[0] != '\0' ? "." : "", key);

                if (r < 0 || (size_t)r >= sizeof(path) || strchr(key, '.') != NULL ||
                        !is_known(path, (size_t)r))
                        return error_set(error, ERROR_INPUT, 0, "%s: unknown key '%s%s%s'",
                                object.document, section, section[0] != '\0' ? "." : "", key);
        }
        return 0;
}

static int read_images(Value root, Node *node, Error *error) {
        Value list = { 0 };

        if (value_list(root, "sidecar.images", &list, error) < 0)
                return -1;
        if (!value_present(list))
                return 0;
        if (value_count(list) > NODE_IMAGES_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "%s: 'sidecar.images' has more than %u items", root.document,
                        NODE_IMAGES_MAX);
        node->sidecar_image_count = 0;
        for (size_t i = 0; i < value_count(list); i++) {
                const char *image = "";

                if (value_string(value_at(list, i), "", &image, error) < 0)
                        return error_context(error, "sidecar.images[%zu]", i);
                node->sidecar_images[node->sidecar_image_count++] = image;
        }
        return 0;
}

static int read_text(Value root, const char *path, bool is_path, const char **field, Error *error) {
        if (value_string(root, path, field, error) < 0)
                return -1;
        if ((*field)[0] == '\0')
                return error_set(error, ERROR_INPUT, 0, "%s: '%s' is empty", root.document, path);
        if (is_path && (*field)[0] != '/')
                return error_set(error, ERROR_INPUT, 0, "%s: '%s' is not an absolute path",
                        root.document, path);
        return 0;
}

static int read_id(Value root, const char *path, uint32_t *field, Error *error) {
        uint64_t id = *field;

        if (value_number(root, path, SANDBOX_ID_MAX, &id, error) < 0)
                return -1;
        if (id == 0)
                return error_set(
                        error, ERROR_INPUT, 0, "%s: '%s' is 0, which is root", root.document, path);
        if (user_is_of_sidecar((uint32_t)id))
                return error_set(error, ERROR_INPUT, 0,
                        "%s: '%s' is %u, and %u to %u are the sidecar's own", root.document, path,
                        (uint32_t)id, LAUNCHER_UID, EGRESS_UID);
        *field = (uint32_t)id;
        return 0;
}

static int read_engine(Value root, const char *path, Engine *field, Error *error) {
        const char *name = NULL;

        if (value_string(root, path, &name, error) < 0)
                return -1;
        if (name != NULL && !engine_by_name(name, field))
                return error_set(error, ERROR_INPUT, 0,
                        "%s: '%s' is '%s'; it can be containerd, cri-o or podman", root.document,
                        path, name);
        return 0;
}

static int read_key(Value root, size_t index, Node *node, Error *error) {
        const char *path = keys[index].path;
        void *field = (char *)node + keys[index].offset;

        switch (keys[index].kind) {
        case KEY_TEXT:
        case KEY_PATH:
                return read_text(root, path, keys[index].kind == KEY_PATH, field, error);
        case KEY_BOOLEAN:
                return value_boolean(root, path, field, error);
        case KEY_ID:
                return read_id(root, path, field, error);
        case KEY_SIZE:
                return value_number(root, path, HOME_SIZE_MAX, field, error);
        case KEY_IMAGES:
                return read_images(root, node, error);
        case KEY_ENGINE:
                return read_engine(root, path, field, error);
        }
        return -1;
}

static int read_sections(Value root, Error *error) {
        static const char *const sections[] = { "policy", "sidecar", "sandbox" };

        if (refuse_unknown(root, "", error) < 0)
                return -1;
        for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
                Value section = { 0 };

                if (value_object(root, sections[i], &section, error) < 0 ||
                        refuse_unknown(section, sections[i], error) < 0)
                        return -1;
        }
        return 0;
}

int node_parse(const char *name, const char *text, size_t size, Node *ret_node, Error *error) {
        cleanup(tree_freep) Tree tree = { 0 };
        Node node = defaults;
        Value root = { 0 };

        if (tree_parse(name, text, size, &tree, error) < 0 ||
                value_object(tree_root(&tree), "", &root, error) < 0 ||
                read_sections(root, error) < 0)
                return -1;
        for (size_t i = 0; i < KEY_COUNT; i++)
                if (read_key(root, i, &node, error) < 0)
                        return -1;
        node.tree = tree.root;
        tree = (Tree){ 0 };
        *ret_node = node;
        return 0;
}

/* Opened once, so that what was checked is what is read. 1: the default file is not there. */
static int open_config(const char *path, bool may_miss, int *ret_fd, Error *error) {
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat status;

        if (fd < 0 && errno == ENOENT && may_miss)
                return 1;
        if (fd < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot open the node configuration '%s'", path);
        if (fstat(fd, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot stat '%s'", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, ERROR_INPUT, 0, "'%s' is not a regular file", path);
        if (status.st_uid != 0 || (status.st_mode & 022) != 0)
                return error_set(error, ERROR_DENIED, 0,
                        "'%s' can be written by others than root: chown root, chmod go-w", path);
        *ret_fd = take_fd(fd);
        return 0;
}

int node_read(const char *path, Node *ret_node, Error *error) {
        const char *name = path != NULL ? path : NODE_CONFIG_PATH;
        cleanup_free char *text = NULL;
        cleanup_fd int fd = -1;
        size_t size;
        int r;

        r = open_config(name, path == NULL, &fd, error);
        if (r < 0)
                return -1;
        if (r > 0) {
                *ret_node = defaults;
                return 0;
        }
        if (file_read_fd(fd, name, NODE_SIZE_MAX, &text, &size, error) < 0)
                return -1;
        return node_parse(name, text, size, ret_node, error);
}

Node node_free(Node node) {
        (void)tree_free((Tree){ .root = node.tree });
        return (Node){ 0 };
}

bool node_knows_image(const Node *node, const char *image) {
        for (size_t i = 0; i < node->sidecar_image_count; i++)
                if (image[0] != '\0' && strcmp(node->sidecar_images[i], image) == 0)
                        return true;
        return false;
}
