/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/bundle.h"

#include "base/file.h"
#include "hook/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define ROOTFS_DEFAULT "rootfs"

static const struct {
        const char *name;
        uint32_t resource;
} limit_names[] = {
        { "RLIMIT_AS", RLIMIT_AS },
        { "RLIMIT_CORE", RLIMIT_CORE },
        { "RLIMIT_CPU", RLIMIT_CPU },
        { "RLIMIT_DATA", RLIMIT_DATA },
        { "RLIMIT_FSIZE", RLIMIT_FSIZE },
        { "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
        { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "RLIMIT_NICE", RLIMIT_NICE },
        { "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "RLIMIT_NPROC", RLIMIT_NPROC },
        { "RLIMIT_RSS", RLIMIT_RSS },
        { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
        { "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "RLIMIT_STACK", RLIMIT_STACK },
};

typedef struct Reader {
        Bundle bundle;
        char root[PATH_MAX];
} Reader;

int bundle_read_file(const char *bundle, const char *file, size_t limit, char **ret_text,
        size_t *ret_size, Error *error) {
        char path[PATH_MAX];
        Error reason = { 0 };
        int r = snprintf(path, sizeof(path), "%s/%s", bundle, file);

        if (r < 0 || (size_t)r >= sizeof(path))
                return error_set(error, ERROR_LIMIT, 0, "the path of the bundle is too long");
        if (file_read(AT_FDCWD, path, limit, ret_text, ret_size, &reason) == 0)
                return 0;
        if (reason.code == ENOENT)
                return 1;
        *error = reason;
        return -1;
}

static int read_root(const BundleText *input, Value config, Reader *reader, Error *error) {
        const char *path = ROOTFS_DEFAULT;
        int r;

        if (value_string(config, "root.path", &path, error) < 0)
                return -1;
        if (path[0] == '/')
                r = snprintf(reader->root, sizeof(reader->root), "%s", path);
        else
                r = snprintf(reader->root, sizeof(reader->root), "%s/%s", input->bundle, path);
        if (r < 0 || (size_t)r >= sizeof(reader->root))
                return error_set(error, ERROR_LIMIT, 0, "config.json: 'root.path' is too long");
        reader->bundle.root = reader->root;
        return 0;
}

static int read_user(Value config, Bundle *bundle, Error *error) {
        uint64_t uid = 0, gid = 0;

        if (value_number(config, "process.user.uid", UINT32_MAX, &uid, error) < 0 ||
                value_number(config, "process.user.gid", UINT32_MAX, &gid, error) < 0)
                return -1;
        bundle->uid = (uint32_t)uid;
        bundle->gid = (uint32_t)gid;
        return 0;
}

static int read_environment(Value config, Bundle *bundle, Error *error) {
        Value list = { 0 };
        size_t count;

        if (value_list(config, "process.env", &list, error) < 0)
                return -1;
        count = value_count(list);
        if (count > RECORD_ENVIRONMENT_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "config.json: 'process.env' has %zu variables, more than %u", count,
                        RECORD_ENVIRONMENT_MAX);
        bundle->environment = calloc(count + 1, sizeof(*bundle->environment));
        if (bundle->environment == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot read 'process.env'");
        for (size_t i = 0; i < count; i++) {
                const char **item = &bundle->environment[i];

                *item = "";
                if (value_string(value_at(list, i), "", item, error) < 0)
                        return error_context(error, "process.env[%zu]", i);
        }
        return 0;
}

static const uint32_t *find_limit(const char *name) {
        for (size_t i = 0; i < sizeof(limit_names) / sizeof(*limit_names); i++)
                if (strcmp(limit_names[i].name, name) == 0)
                        return &limit_names[i].resource;
        return NULL;
}

static int read_limits(Value config, Bundle *bundle, Error *error) {
        Value list = { 0 };

        if (value_list(config, "process.rlimits", &list, error) < 0)
                return -1;
        for (size_t i = 0; i < value_count(list); i++) {
                RecordLimit limit = { 0 };
                const char *name = "";
                const uint32_t *resource;

                if (value_string(value_at(list, i), "type", &name, error) < 0 ||
                        value_number(value_at(list, i), "soft", UINT64_MAX, &limit.soft, error) <
                                0 ||
                        value_number(value_at(list, i), "hard", UINT64_MAX, &limit.hard, error) < 0)
                        return error_context(error, "process.rlimits[%zu]", i);
                resource = find_limit(name);
                if (resource == NULL || bundle->limit_count == RECORD_RLIMITS_MAX)
                        return error_set(error, ERROR_INPUT, 0,
                                "config.json: 'process.rlimits' has an unknown or repeated type "
                                "'%s'",
                                name);
                limit.resource = *resource;
                bundle->limits[bundle->limit_count++] = limit;
        }
        return 0;
}

static int has_option(Value mount, const char *wanted, bool *ret_has, Error *error) {
        Value options = { 0 };

        if (value_list(mount, "options", &options, error) < 0)
                return -1;
        for (size_t i = 0; i < value_count(options); i++) {
                const char *option = "";

                if (value_string(value_at(options, i), "", &option, error) < 0)
                        return -1;
                if (strcmp(option, wanted) == 0)
                        *ret_has = true;
        }
        return 0;
}

static int read_policy_volume(Value config, Bundle *bundle, Error *error) {
        Value list = { 0 };

        if (value_list(config, "mounts", &list, error) < 0)
                return -1;
        for (size_t i = 0; i < value_count(list); i++) {
                const char *destination = "";

                if (value_string(value_at(list, i), "destination", &destination, error) < 0)
                        return error_context(error, "mounts[%zu]", i);
                if (strcmp(destination, BUNDLE_POLICY_VOLUME) != 0)
                        continue;
                if (value_string(value_at(list, i), "source", &bundle->policy_volume, error) < 0 ||
                        has_option(value_at(list, i), "ro", &bundle->policy_volume_read_only,
                                error) < 0)
                        return error_context(error, "mounts[%zu]", i);
        }
        return 0;
}

static int read_texts(Value config, Bundle *bundle, Error *error) {
        Value arguments = { 0 };

        if (value_string(config, "linux.rootfsPropagation", &bundle->propagation, error) < 0 ||
                value_string(config, "linux.mountLabel", &bundle->mount_label, error) < 0 ||
                value_string(config, "process.cwd", &bundle->directory, error) < 0 ||
                value_string(config, "process.apparmorProfile", &bundle->apparmor, error) < 0 ||
                value_string(config, "process.selinuxLabel", &bundle->selinux, error) < 0 ||
                value_list(config, "process.args", &arguments, error) < 0 ||
                value_string(value_at(arguments, 0), "", &bundle->program, error) < 0)
                return -1;
        if (bundle->directory[0] != '/')
                return error_set(error, ERROR_INPUT, 0,
                        "config.json: 'process.cwd' is not an absolute path");
        return 0;
}

/* podman's storage: [{"id": ..., "names": [NAME], "metadata": "{\"image-name\": ...}"}]. Without an
 * entry nothing is known. */
static int read_storage(Value list, const char *id, Bundle *bundle, Tree *metadata, Error *error) {
        for (size_t i = 0; i < value_count(list); i++) {
                Value item = value_at(list, i), names = { 0 };
                const char *found = "", *text = "{}";

                if (value_string(item, "id", &found, error) < 0)
                        return -1;
                if (strcmp(found, id) != 0)
                        continue;
                if (value_list(item, "names", &names, error) < 0 ||
                        value_string(value_at(names, 0), "", &bundle->storage_name, error) < 0 ||
                        value_string(item, "metadata", &text, error) < 0 ||
                        tree_parse("the container's metadata", text, strlen(text), metadata,
                                error) < 0)
                        return -1;
                return value_string(
                        tree_root(metadata), "image-name", &bundle->storage_image, error);
        }
        return 0;
}

static void pack_bundle(const Bundle *bundle, Packer *result) {
        pack_string(result, bundle->root);
        pack_string(result, bundle->propagation);
        pack_string(result, bundle->mount_label);
        pack_string(result, bundle->program);
        pack_string(result, bundle->directory);
        pack_u32(result, bundle->uid);
        pack_u32(result, bundle->gid);
        pack_strings(result, bundle->environment);
        pack_u32(result, bundle->limit_count);
        for (uint32_t i = 0; i < bundle->limit_count; i++) {
                pack_u32(result, bundle->limits[i].resource);
                pack_u64(result, bundle->limits[i].soft);
                pack_u64(result, bundle->limits[i].hard);
        }
        pack_string(result, bundle->apparmor);
        pack_string(result, bundle->selinux);
        pack_string(result, bundle->policy_volume);
        pack_u8(result, bundle->policy_volume_read_only);
        pack_string(result, bundle->storage_name);
        pack_string(result, bundle->storage_image);
}

static int read_config(const BundleText *input, Value config, Reader *reader, Error *error) {
        if (read_root(input, config, reader, error) < 0 ||
                read_user(config, &reader->bundle, error) < 0 ||
                read_texts(config, &reader->bundle, error) < 0 ||
                read_environment(config, &reader->bundle, error) < 0 ||
                read_limits(config, &reader->bundle, error) < 0)
                return -1;
        return read_policy_volume(config, &reader->bundle, error);
}

int bundle_parse(const void *bundle_text, Packer *result, Error *error) {
        const BundleText *input = bundle_text;
        cleanup(tree_freep) Tree config = { 0 }, storage = { 0 }, metadata = { 0 };
        Value root = { 0 }, containers = { 0 };
        Reader reader = {
                .bundle = { .propagation = "",
                        .mount_label = "",
                        .program = "",
                        .directory = "/",
                        .apparmor = "",
                        .selinux = "",
                        .policy_volume = "",
                        .storage_name = "",
                        .storage_image = "" },
        };
        int r;

        if (tree_parse("config.json", input->config, input->config_size, &config, error) < 0 ||
                value_object(tree_root(&config), "", &root, error) < 0)
                return -1;
        r = read_config(input, root, &reader, error);
        if (r == 0 && input->storage != NULL) {
                r = tree_parse(
                        "containers.json", input->storage, input->storage_size, &storage, error);
                if (r == 0)
                        r = value_list(tree_root(&storage), "", &containers, error);
                if (r == 0)
                        r = read_storage(containers, input->id, &reader.bundle, &metadata, error);
        }
        if (r == 0)
                pack_bundle(&reader.bundle, result);
        bundle_done(&reader.bundle);
        return r;
}

int bundle_unpack(const void *data, size_t size, Bundle *ret_bundle, Error *error) {
        Unpacker fields = unpacker(data, size);
        Bundle bundle = { .root = unpack_string(&fields) };

        bundle.propagation = unpack_string(&fields);
        bundle.mount_label = unpack_string(&fields);
        bundle.program = unpack_string(&fields);
        bundle.directory = unpack_string(&fields);
        bundle.uid = unpack_u32(&fields);
        bundle.gid = unpack_u32(&fields);
        bundle.environment = unpack_strings(&fields, RECORD_ENVIRONMENT_MAX, NULL);
        bundle.limit_count = unpack_count(&fields, RECORD_RLIMITS_MAX);
        for (uint32_t i = 0; i < bundle.limit_count; i++) {
                bundle.limits[i].resource = unpack_u32(&fields);
                bundle.limits[i].soft = unpack_u64(&fields);
                bundle.limits[i].hard = unpack_u64(&fields);
        }
        bundle.apparmor = unpack_string(&fields);
        bundle.selinux = unpack_string(&fields);
        bundle.policy_volume = unpack_string(&fields);
        bundle.policy_volume_read_only = unpack_u8(&fields) != 0;
        bundle.storage_name = unpack_string(&fields);
        bundle.storage_image = unpack_string(&fields);
        if (!unpack_end(&fields) || bundle.root[0] != '/' || bundle.directory[0] != '/') {
                bundle_done(&bundle);
                return error_set(
                        error, ERROR_PEER, 0, "a malformed result of the config.json parser");
        }
        *ret_bundle = bundle;
        return 0;
}

void bundle_done(Bundle *bundle) {
        free(bundle->environment);
        bundle->environment = NULL;
}

const char *bundle_variable(const Bundle *bundle, const char *name) {
        size_t length = strlen(name);

        for (size_t i = 0; bundle->environment != NULL && bundle->environment[i] != NULL; i++)
                if (strncmp(bundle->environment[i], name, length) == 0 &&
                        bundle->environment[i][length] == '=')
                        return bundle->environment[i] + length + 1;
        return NULL;
}
