/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The node's own files are its administrator's and are read by path. The policy volume and the
 * image are somebody else's: their files are resolved inside the directory they stand in. What any
 * text says is nobody's business here; it goes to the jail as bytes.
 */
#include "hook/source.h"

#include "base/fd.h"
#include "base/file.h"
#include "hook/hostile.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#define IMAGE_POLICY "/etc/navigator/policy.yaml"
#define VOLUME_FILE "policy.yaml" /* the key of the ConfigMap */

/* Of a policy, everything but the version has a default, and the defaults are the restrictive ones.
 */
static const char built_in[] =
        "# The node names no default policy: the restrictive defaults, no network.\nversion: 1\n";

static void name_source(Source *source, const char *label, const char *file) {
        (void)snprintf(source->label, sizeof(source->label), "%s", label);
        (void)snprintf(source->file, sizeof(source->file), "%s", file);
}

/* 1: the file is not there. */
static int read_node_file(const char *path, const char *label, Source *source, Error *error) {
        Error reason = { 0 };

        if (file_read(AT_FDCWD, path, POLICY_TEXT_MAX, &source->text, &source->size, &reason) < 0) {
                if (reason.code == ENOENT)
                        return 1;
                if (error != NULL)
                        *error = reason;
                return -1;
        }
        name_source(source, label, path);
        return 0;
}

static int make_path(
        const Node *node, const char *name, char ret_path[static PATH_MAX], Error *error) {
        int r = snprintf(ret_path, PATH_MAX, "%s/%s.yaml", node->policy_directory, name);

        if (r < 0 || r >= PATH_MAX)
                return error_set(
                        error, ERROR_LIMIT, 0, "the path of node policy '%s' is too long", name);
        return 0;
}

static int read_named(
        const PolicySelection *selection, const Node *node, Source *source, Error *error) {
        char path[PATH_MAX], label[SOURCE_LABEL_MAX];
        int r;

        if (make_path(node, selection->name, path, error) < 0)
                return -1;
        (void)snprintf(label, sizeof(label), "node/%s", selection->name);
        r = read_node_file(path, label, source, error);
        if (r > 0)
                return error_set(error, ERROR_INPUT, ENOENT, "policy '%s': the node has no '%s'",
                        label, path);
        return r;
}

static int read_default(const Node *node, Source *source, Error *error) {
        char path[PATH_MAX];
        int r;

        if (make_path(node, "default", path, error) < 0)
                return -1;
        r = read_node_file(path, "default", source, error);
        if (r <= 0)
                return r;
        source->text = strdup(built_in);
        if (source->text == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot take the built-in policy");
        source->size = sizeof(built_in) - 1;
        name_source(source, "built-in", "built-in");
        return 0;
}

static int read_volume(int proc, const PolicySelection *selection, const Bundle *bundle,
        Source *source, Error *error) {
        cleanup_fd int directory = -1;
        char label[SOURCE_LABEL_MAX], file[SOURCE_LABEL_MAX];
        int r;

        (void)snprintf(label, sizeof(label), "configmap/%.*s", 253, selection->name);
        (void)snprintf(file, sizeof(file), "%.270s/" VOLUME_FILE, label);
        if (bundle->policy_volume[0] == '\0')
                return error_set(error, ERROR_INPUT, 0,
                        "policy '%s': the container mounts no volume at " BUNDLE_POLICY_VOLUME,
                        label);
        if (!bundle->policy_volume_read_only)
                return error_set(error, ERROR_INPUT, 0,
                        "policy '%s': the volume at " BUNDLE_POLICY_VOLUME
                        " must be mounted with readOnly: true",
                        label);
        directory = open(bundle->policy_volume, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return error_set(
                        error, ERROR_OS, errno, "policy '%s': cannot open its volume", label);
        /* kubelet swaps a ConfigMap's content by a link inside the volume */
        r = hostile_read(proc, directory, VOLUME_FILE,
                RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, POLICY_TEXT_MAX,
                &source->text, &source->size, error);
        if (r > 0)
                return error_set(error, ERROR_INPUT, ENOENT,
                        "policy '%s': its volume has no '" VOLUME_FILE "'", label);
        if (r < 0)
                return error_context(error, "policy '%s'", label);
        name_source(source, label, file);
        return 0;
}

int source_read_node(int proc, const PolicySelection *selection, const Node *node,
        const Bundle *bundle, Source *ret_source, Error *error) {
        cleanup(source_freep) Source source = { 0 };
        int r = 0;

        switch (selection->source) {
        case SOURCE_CONFIGMAP:
                r = read_volume(proc, selection, bundle, &source, error);
                break;
        case SOURCE_NODE:
                r = read_named(selection, node, &source, error);
                break;
        case SOURCE_UNNAMED:
                r = read_default(node, &source, error);
                break;
        case SOURCE_IMAGE:
                if (!node->image_policy)
                        r = error_set(error, ERROR_DENIED, 0,
                                "annotation '%s' is 'image', and this node lets no image bring its "
                                "own policy",
                                ANNOTATION_POLICY);
                break;
        }
        if (r < 0)
                return -1;
        *ret_source = take(source, (Source){ 0 });
        return 0;
}

int source_read_image(const PolicySelection *selection, const Node *node, const Rootfs *rootfs,
        Source *source, Error *error) {
        char *text;
        size_t size;
        int r;

        if (selection->source != SOURCE_IMAGE &&
                (selection->source != SOURCE_UNNAMED || !node->image_policy))
                return 0;
        r = rootfs_read(rootfs, IMAGE_POLICY, ROOTFS_IMAGE, POLICY_TEXT_MAX, &text, &size, error);
        if (r < 0)
                return -1;
        if (r > 0 && selection->source == SOURCE_IMAGE)
                return error_set(error, ERROR_INPUT, ENOENT,
                        "policy 'image': the image has no '%s'", IMAGE_POLICY);
        if (r > 0)
                return 0;
        free(source->text);
        source->text = text;
        source->size = size;
        name_source(source, "image", IMAGE_POLICY);
        return 0;
}

int source_read_ceiling(const Node *node, Source *ret_source, Error *error) {
        cleanup(source_freep) Source source = { 0 };
        int r = read_node_file(node->ceiling, "ceiling", &source, error);

        if (r < 0)
                return error_context(error, "the node's ceiling");
        *ret_source = take(source, (Source){ 0 });
        return 0;
}

Source source_free(Source source) {
        free(source.text);
        return (Source){ 0 };
}
