/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A hook that is told everything: packs a record from its options and hands a running process over
 * to a launcher. For tests of the launcher alone; the real one is hook/.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/message.h"
#include "base/sha256.h"
#include "base/syscalls.h"
#include "policy/flat.h"
#include "policy/parse.h"
#include "sidecar/launcher/process.h"
#include "sidecar/wire/record.h"

#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LIST_MAX 300

static PolicyPath paths[LIST_MAX];
static const char *environment[LIST_MAX];

static void add_path(Policy *policy, const char *path, PolicyAccess access) {
        if (policy->path_count == LIST_MAX)
                errx(1, "too many paths");
        paths[policy->path_count++] = (PolicyPath){
                .path = path,
                .access = access,
                .origin = POLICY_ORIGIN_AUTHOR,
                .must_exist = true,
        };
}

/* A policy file instead of single paths. */
static const Policy *parse_policy(const char *path, Record *record) {
        Diagnostics diagnostics = { 0 };
        Error error = { 0 };
        static Policy *policy; /* like the text: as long as the record, which is to the end */
        static char *text;
        size_t size;

        if (file_read(AT_FDCWD, path, POLICY_TEXT_MAX, &text, &size, &error) < 0)
                errx(1, "%s", error.text);
        if (policy_parse(text, size, &policy, &diagnostics) < 0) {
                (void)diagnostics_to_error(&diagnostics, path, &error);
                errx(1, "%s", error.text);
        }
        record->policy_text = text;
        sha256(text, size, record->policy_hash);
        return policy;
}

static void add_limit(Record *record, const char *text) {
        unsigned long resource, soft, hard;

        if (sscanf(text, "%lu:%lu:%lu", &resource, &soft, &hard) != 3)
                errx(1, "--limit RESOURCE:SOFT:HARD");
        record->limits[record->limit_count++] = (RecordLimit){ (uint32_t)resource, soft, hard };
}

static uint32_t number(const char *text) {
        return (uint32_t)strtoul(text, NULL, 10);
}

static RecordInode inode_of(int proc_fd, pid_t pid, const char *name) {
        RecordInode inode = { 0 };

        if (process_inode(proc_fd, pid, name, &inode) < 0)
                err(1, "/proc/%d/%s", pid, name);
        return inode;
}

static void describe_process(Record *record, pid_t pid) {
        int proc_fd = open("/proc", O_PATH | O_CLOEXEC);
        ProcessStatus status;

        if (process_status(proc_fd, pid, &status) < 0)
                errx(1, "process %d has gone", pid);
        record->pid = (uint32_t)pid;
        record->start_time = status.start_time;
        record->root = inode_of(proc_fd, pid, "root");
        record->mount_namespace = inode_of(proc_fd, pid, "ns/mnt");
        record->pid_namespace = inode_of(proc_fd, pid, "ns/pid");
        record->user_namespace = inode_of(proc_fd, pid, "ns/user");
}

static int write_record(const Record *record) {
        Packer packer = packer_growing(RECORD_SIZE_MAX);
        int fd = memfd_create("record", MFD_CLOEXEC);

        record_pack(record, &packer);
        if (packer.failed || fd < 0 ||
                write(fd, packer.data, packer.size) != (ssize_t)packer.size ||
                lseek(fd, 0, SEEK_SET) != 0)
                errx(1, "cannot write the record");
        packer_done(&packer);
        return fd;
}

static void send_all(const char *path, const int *fds, size_t count) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        uint8_t bytes[4];
        Packer packer = packer_in(bytes, sizeof(bytes));

        pack_u32(&packer, RECORD_MAGIC);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                err(1, "cannot connect to '%s'", path);
        if (message_send(fd, bytes, sizeof(bytes), fds, count) < 0)
                errx(1, "cannot send");
}

int main(int argc, char **argv) {
        static const struct option known[] = {
                { "socket", 1, NULL, 's' },
                { "pid", 1, NULL, 'p' },
                { "name", 1, NULL, 'n' },
                { "target", 1, NULL, 't' },
                { "ro", 1, NULL, 'r' },
                { "rw", 1, NULL, 'w' },
                { "uid", 1, NULL, 'u' },
                { "gid", 1, NULL, 'g' },
                { "group", 1, NULL, 'G' },
                { "user", 1, NULL, 'U' },
                { "home", 1, NULL, 'h' },
                { "shell", 1, NULL, 'S' },
                { "env", 1, NULL, 'e' },
                { "limit", 1, NULL, 'l' },
                { "cgroup", 1, NULL, 'c' },
                { "runtime", 1, NULL, 'R' },
                { "no-workdir", 0, NULL, 'W' },
                { "best-effort", 0, NULL, 'b' },
                { "start-time", 1, NULL, 'T' },
                { "policy", 1, NULL, 'P' },
                { "policy-source", 1, NULL, 'O' },
                { 0 },
        };
        Policy policy = {
                .paths = paths,
                .include_workdir = true,
                .landlock = POLICY_LANDLOCK_HARD,
                .user = "sandbox",
                .group = "sandbox",
        };
        Record record = {
                .pod = "pod",
                .pod_name = "demo",
                .pod_namespace = "default",
                .pod_uid = "0",
                .container_id = "0",
                .container_name = "workload",
                .target = "",
                .runtime = { 1, 1 },
                .directory = "/",
                .environment = environment,
                .apparmor = "",
                .selinux = "",
                .policy_source = "test",
                .policy_text = "",
                .identity = { .uid = 1000,
                        .gid = 1000,
                        .name = "sandbox",
                        .home = "/sandbox",
                        .shell = "" },
        };
        Packer packer = packer_growing(POLICY_FLAT_SIZE_MAX);
        int fds[MESSAGE_FDS_MAX];
        size_t fd_count = RECORD_FD_CGROUPS, variables = 0;
        const char *socket_path = NULL, *runtime = NULL, *start_time = NULL;
        const Policy *whole = NULL;
        pid_t pid = 0;
        int option;

        while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
                switch (option) {
                case 's':
                        socket_path = optarg;
                        break;
                case 'p':
                        pid = (pid_t)number(optarg);
                        break;
                case 'n':
                        record.container_name = record.container_id = optarg;
                        break;
                case 't':
                        record.target = optarg;
                        break;
                case 'r':
                        add_path(&policy, optarg, POLICY_READ_ONLY);
                        break;
                case 'w':
                        add_path(&policy, optarg, POLICY_READ_WRITE);
                        break;
                case 'u':
                        record.identity.uid = number(optarg);
                        break;
                case 'g':
                        record.identity.gid = number(optarg);
                        break;
                case 'G':
                        record.identity.groups[record.identity.group_count++] = number(optarg);
                        break;
                case 'U':
                        record.identity.name = optarg;
                        break;
                case 'h':
                        record.identity.home = optarg;
                        break;
                case 'S':
                        record.identity.shell = optarg;
                        break;
                case 'e':
                        environment[variables++] = optarg;
                        break;
                case 'l':
                        add_limit(&record, optarg);
                        break;
                case 'R':
                        runtime = optarg;
                        break;
                case 'T':
                        start_time = optarg;
                        break;
                case 'O':
                        record.policy_source = optarg;
                        break;
                case 'P':
                        whole = parse_policy(optarg, &record);
                        break;
                case 'W':
                        policy.include_workdir = false;
                        break;
                case 'b':
                        policy.landlock = POLICY_LANDLOCK_BEST_EFFORT;
                        break;
                case 'c':
                        fds[fd_count] = open(optarg, O_WRONLY | O_CLOEXEC);
                        if (fds[fd_count++] < 0)
                                err(1, "cannot open '%s'", optarg);
                        record.cgroups[record.cgroup_count++] = optarg;
                        break;
                default:
                        return EXIT_FAILURE;
                }
        describe_process(&record, pid);
        if (start_time != NULL)
                record.start_time = number(start_time);
        if (runtime != NULL) {
                struct stat about;

                if (stat(runtime, &about) < 0)
                        err(1, "%s", runtime);
                record.runtime = (RecordInode){ about.st_dev, about.st_ino };
        }
        policy_pack(whole != NULL ? whole : &policy, &packer);
        record.policy = packer.data;
        record.policy_size = packer.size;
        fds[RECORD_FD_FILE] = write_record(&record);
        fds[RECORD_FD_PIDFD] = sys_pidfd_open(pid);
        send_all(socket_path, fds, fd_count);
        packer_done(&packer);
        return EXIT_SUCCESS;
}
