/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The sidecar sees nothing of the node: its socket lies on a tmpfs of its own, made here and known
 * afterwards by the inode of its root. Were the directory the node's, whoever breaks the sidecar
 * could fill the node's /run.
 */
#include "hook/sidecar.h"

#include "base/cleanup.h"
#include "hook/deliver.h"
#include "hook/hook.h"
#include "hook/mount.h"
#include "hook/registry.h"
#include "hook/rootfs.h"

#include <errno.h>
#include <linux/mount.h>
#include <sys/stat.h>

#define SOCKETS_SIZE ((size_t)1024 * 1024) /* holds sockets and perhaps a file of the launcher's   \
                                            */
#define SOCKETS_FILES 64U

/* The container's user as the host numbers it: the launcher binds its socket there. */
static int find_owner(const Hook *hook, MountOptions *options, Error *error) {
        IdMap map = { 0 };

        if (process_id_map(&hook->process, "uid_map", &map, error) < 0)
                return -1;
        if (!id_map_outside(&map, hook->bundle.uid, &options->uid))
                return error_set(error, ERROR_INPUT, 0,
                        "the sidecar's uid %u is not in its user namespace", hook->bundle.uid);
        if (process_id_map(&hook->process, "gid_map", &map, error) < 0)
                return -1;
        if (!id_map_outside(&map, hook->bundle.gid, &options->gid))
                return error_set(error, ERROR_INPUT, 0,
                        "the sidecar's gid %u is not in its user namespace", hook->bundle.gid);
        return 0;
}

static int mount_sockets(
        const Rootfs *rootfs, const MountOptions *options, RecordInode *ret_inode, Error *error) {
        cleanup_fd int tree = -1, place = -1;
        struct stat status;

        if (mount_new(options, &tree, error) < 0 ||
                rootfs_make_directory(rootfs, RECORD_SOCKET_DIRECTORY, &place, error) < 0)
                return -1;
        if (fstat(tree, &status) < 0)
                return error_set(error, ERROR_OS, errno, "cannot look at the sidecar's tmpfs");
        *ret_inode = (RecordInode){ .device = status.st_dev, .inode = status.st_ino };
        return mount_attach(tree, place, RECORD_SOCKET_DIRECTORY, error);
}

int sidecar_prepare(const Hook *hook, Error *error) {
        cleanup(rootfs_closep) Rootfs rootfs = ROOTFS_NONE;
        MountOptions options = {
                .size = SOCKETS_SIZE,
                .files = SOCKETS_FILES,
                .mode = 0755,
                .label = hook->bundle.mount_label,
                .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        };
        Sidecar sidecar = { .pid = hook->process.pid, .start_time = hook->process.start_time };
        int r;

        r = registry_has(hook->pod, hook->state.id, REGISTRY_SIDECAR, &hook->process, error);
        if (r <= 0)
                return r;
        if (find_owner(hook, &options, error) < 0 ||
                rootfs_enter(hook->proc, &hook->process, hook->bundle.root, &rootfs, error) < 0)
                return -1;
        r = mount_sockets(&rootfs, &options, &sidecar.socket_directory, error);
        if (rootfs_leave(&rootfs, r == 0 ? error : NULL) < 0 || r < 0)
                return -1;
        if (registry_add_sidecar(hook->pod, hook->state.id, &sidecar, error) < 0)
                return -1;
        return deliver_later(hook->proc, hook->pod, error);
}
