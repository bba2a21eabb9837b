/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/deliver.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/message.h"
#include "base/pack.h"
#include "base/syscalls.h"
#include "hook/cgroup.h"
#include "hook/process.h"
#include "hook/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE_SECONDS 30
#define RETRY_MILLISECONDS 5
#define KEPT_PROC 3
#define KEPT_POD 4
#define BACKLOG_TRIES 40 /* a launcher that is busy for 200 ms */

/* The pod's sidecar that lives. */
typedef struct Peer {
        Sidecar sidecar;
        Process process;
        int proc;
} Peer;

static int find_peer(int pod, const char *file, void *data) {
        Peer *peer = data;

        if (registry_read_sidecar(pod, file, &peer->sidecar, NULL) != 0)
                return 0;
        return process_open_known(peer->proc, peer->sidecar.pid, peer->sidecar.start_time,
                       &peer->process, NULL) == 0;
}

/* Before pivot_root the sidecar's root is still the host's, and its /run/navigator another
 * directory: the inode tells. */
static int open_socket_directory(const Peer *peer, int *ret_fd, Error *error) {
        cleanup_fd int root =
                openat(peer->process.directory, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        cleanup_fd int fd = -1;
        struct stat status;

        if (root < 0)
                return DELIVER_NOBODY;
        fd = sys_openat2(root, RECORD_SOCKET_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        if (fd < 0 || fstat(fd, &status) < 0 ||
                status.st_dev != peer->sidecar.socket_directory.device ||
                status.st_ino != peer->sidecar.socket_directory.inode)
                return DELIVER_NOBODY;
        *ret_fd = take_fd(fd);
        return 0;
}

static int connect_socket(int proc, int directory, int *ret_socket, Error *error) {
        cleanup_fd int place =
                openat(directory, RECORD_SOCKET_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        cleanup_fd int fd = -1;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct stat status;

        if (place < 0 || fstat(place, &status) < 0 || !S_ISSOCK(status.st_mode))
                return DELIVER_NOBODY;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot make a socket");
        /* connect() takes only paths: this one names the very inode that was looked at */
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", place);
        for (unsigned i = 0; connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0;
                i++) {
                if (errno != EAGAIN || i == BACKLOG_TRIES)
                        return DELIVER_NOBODY;
                (void)poll(NULL, 0, RETRY_MILLISECONDS);
        }
        *ret_socket = take_fd(fd);
        return 0;
}

static int share_network(const Process *workload, const Process *sidecar, Error *error) {
        RecordInode theirs, ours;

        if (process_inode(workload, "ns/net", &theirs, error) < 0 ||
                process_inode(sidecar, "ns/net", &ours, error) < 0)
                return -1;
        if (!inode_equal(theirs, ours))
                return error_set(error, ERROR_DENIED, 0,
                        "container and sidecar have the same pod id, but not the same network "
                        "namespace");
        return 0;
}

/* A sealed copy: the launcher can reopen what it is handed for writing if its capabilities allow,
 * and the file is what later hooks believe. */
static int copy_record(const RegistryRecord *record, int *ret_fd, Error *error) {
        cleanup_fd int fd = memfd_create("navigator-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r = fd < 0 ? -errno : fd_write_full(fd, record->data, record->size);

        if (r == 0 &&
                (lseek(fd, 0, SEEK_SET) < 0 ||
                        fcntl(fd, F_ADD_SEALS,
                                F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0))
                r = -errno;
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot copy the container's record");
        *ret_fd = take_fd(fd);
        return 0;
}

static int same_cgroups(const Record *record, const Cgroups *cgroups, Error *error) {
        bool same = record->cgroup_count == cgroups->count;

        for (uint32_t i = 0; same && i < cgroups->count; i++)
                same = strcmp(record->cgroups[i], cgroups->names[i]) == 0;
        if (!same)
                return error_set(error, ERROR_OS, 0,
                        "container '%s' is in other cgroup hierarchies than it was created in",
                        record->container_id);
        return 0;
}

static int send_record(int socket, const RegistryRecord *record, const Process *process,
        const Cgroups *cgroups, Error *error) {
        int fds[RECORD_FD_CGROUPS + RECORD_CGROUPS_MAX];
        cleanup_fd int copy = -1;
        uint8_t bytes[4];
        Packer packer = packer_in(bytes, sizeof(bytes));
        int r;

        if (copy_record(record, &copy, error) < 0)
                return -1;
        fds[RECORD_FD_FILE] = copy;
        fds[RECORD_FD_PIDFD] = process->pidfd;
        memcpy(fds + RECORD_FD_CGROUPS, cgroups->fds, cgroups->count * sizeof(int));
        pack_u32(&packer, RECORD_MAGIC);
        r = message_send(socket, packer.data, packer.size, fds, RECORD_FD_CGROUPS + cgroups->count);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "cannot send the record of '%s'",
                        record->record.container_id);
        return 0;
}

static int send_to(const Peer *peer, int socket, const RegistryRecord *record, Error *error) {
        cleanup(process_closep) Process process = PROCESS_NONE;
        Cgroups cgroups;
        int r = process_open_known(
                peer->proc, record->record.pid, record->record.start_time, &process, error);

        if (r != 0)
                return r < 0 ? r : DELIVER_NOBODY;
        if (share_network(&process, &peer->process, error) < 0 ||
                cgroups_open(peer->proc, &process, &cgroups, error) < 0)
                return -1;
        r = same_cgroups(&record->record, &cgroups, error);
        if (r == 0)
                r = send_record(socket, record, &process, &cgroups, error);
        (void)cgroups_close(&cgroups);
        return r;
}

static int connect_peer(const Peer *peer, int *ret_socket, Error *error) {
        cleanup_fd int directory = -1;
        int r = open_socket_directory(peer, &directory, error);

        return r == 0 ? connect_socket(peer->proc, directory, ret_socket, error) : r;
}

static int send_file(const Peer *peer, int socket, int pod, const char *file, Error *error) {
        cleanup(registry_record_freep) RegistryRecord record = { 0 };
        int r = registry_read_record(pod, file, &record, error);

        if (r != 0)
                return r < 0 ? r : DELIVER_NOBODY;
        return send_to(peer, socket, &record, error);
}

int deliver_record(int proc, int pod, const char *file, Error *error) {
        Peer peer = { .proc = proc, .process = PROCESS_NONE };
        cleanup_fd int socket = -1;
        int r = DELIVER_NOBODY;

        if (registry_each(pod, REGISTRY_SIDECAR, find_peer, &peer) != 0)
                r = connect_peer(&peer, &socket, error);
        if (socket >= 0)
                r = send_file(&peer, socket, pod, file, error);
        (void)process_close(peer.process);
        return r;
}

typedef struct Delivery {
        const Peer *peer;
        int socket;
} Delivery;

/* One record that cannot be sent does not keep the others back. */
static int deliver_one(int pod, const char *file, void *data) {
        const Delivery *delivery = data;

        (void)send_file(delivery->peer, delivery->socket, pod, file, NULL);
        return 0;
}

static time_t now(void) {
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec;
}

/* The records are listed after somebody has listened: a hook that found nobody had written its
 * record before. */
static void deliver_all(int proc, int pod) {
        Peer peer = { .proc = proc, .process = PROCESS_NONE };
        Delivery delivery = { .peer = &peer, .socket = -1 };
        time_t end = now() + PATIENCE_SECONDS;
        struct pollfd gone = { .events = POLLIN };

        if (registry_each(pod, REGISTRY_SIDECAR, find_peer, &peer) == 0)
                return;
        gone.fd = peer.process.pidfd;
        while (now() < end && delivery.socket < 0) {
                if (connect_peer(&peer, &delivery.socket, NULL) == 0)
                        (void)registry_each(pod, REGISTRY_RECORD, deliver_one, &delivery);
                else if (poll(&gone, 1, RETRY_MILLISECONDS) != 0)
                        return;
        }
}

/* Nobody waits for this process: it also forgets what runtimes that were killed have left in other
 * pods. */
static void sweep_node(int proc, int pod) {
        cleanup_fd int pods = openat(pod, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (pods >= 0)
                registry_remove(proc, pods, NULL);
}

/* Keeps the two descriptors, under their numbers, and nothing else of the hook. */
static int let_go(int proc, int pod) {
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (nowhere < 0 || setsid() < 0 || chdir("/") < 0)
                return -1;
        for (int fd = 0; fd < 3; fd++)
                if (dup3(nowhere, fd, 0) < 0 && errno != EINVAL)
                        return -1;
        /* moved up first, so that neither is closed by the other's move */
        proc = fcntl(proc, F_DUPFD_CLOEXEC, 10);
        pod = fcntl(pod, F_DUPFD_CLOEXEC, 10);
        if (proc < 0 || pod < 0 || dup3(proc, KEPT_PROC, O_CLOEXEC) < 0 ||
                dup3(pod, KEPT_POD, O_CLOEXEC) < 0)
                return -1;
        return sys_close_range(KEPT_POD + 1, ~0U, 0);
}

/* The middle process exits at once: the deliverer is nobody's child that a runtime might wait for.
 */
static void leave_deliverer(int proc, int pod) {
        pid_t child = fork();

        if (child != 0)
                _exit(child < 0 ? 1 : 0);
        if (let_go(proc, pod) < 0)
                _exit(1);
        deliver_all(KEPT_PROC, KEPT_POD);
        sweep_node(KEPT_PROC, KEPT_POD);
        _exit(0);
}

int deliver_later(int proc, int pod, Error *error) {
        /* its own opening of the directory: the hook's carries the lock */
        cleanup_fd int unlocked = openat(pod, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        pid_t child;
        int status;

        if (unlocked < 0)
                return error_set(error, ERROR_OS, errno, "cannot open the pod's directory again");
        child = fork();
        if (child == 0)
                leave_deliverer(proc, unlocked);
        if (child < 0 || waitpid(child, &status, 0) < 0)
                return error_set(error, ERROR_OS, errno, "cannot start the deliverer");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return error_set(error, ERROR_OS, 0, "the deliverer could not start");
        return 0;
}
