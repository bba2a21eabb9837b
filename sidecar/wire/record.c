/* SPDX-License-Identifier: Apache-2.0 */

/* The record's codec: both sides list the same fields in the same order. */
#include "sidecar/wire/record.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

static void pack_inode(Packer *packer, RecordInode inode) {
        pack_u64(packer, inode.device);
        pack_u64(packer, inode.inode);
}

static RecordInode unpack_inode(Unpacker *fields) {
        RecordInode inode = { .device = unpack_u64(fields) };

        inode.inode = unpack_u64(fields);
        return inode;
}

static void pack_identity(Packer *packer, const RecordIdentity *identity) {
        pack_u32(packer, identity->uid);
        pack_u32(packer, identity->gid);
        pack_u32(packer, identity->group_count);
        for (uint32_t i = 0; i < identity->group_count; i++)
                pack_u32(packer, identity->groups[i]);
        pack_string(packer, identity->name);
        pack_string(packer, identity->home);
        pack_string(packer, identity->shell);
}

static void unpack_identity(Unpacker *fields, RecordIdentity *ret_identity) {
        ret_identity->uid = unpack_u32(fields);
        ret_identity->gid = unpack_u32(fields);
        ret_identity->group_count = unpack_count(fields, RECORD_GROUPS_MAX);
        for (uint32_t i = 0; i < ret_identity->group_count; i++)
                ret_identity->groups[i] = unpack_u32(fields);
        ret_identity->name = unpack_string(fields);
        ret_identity->home = unpack_string(fields);
        ret_identity->shell = unpack_string(fields);
}

void record_pack(const Record *record, Packer *packer) {
        pack_u32(packer, RECORD_MAGIC);
        pack_string(packer, record->pod);
        pack_string(packer, record->pod_name);
        pack_string(packer, record->pod_namespace);
        pack_string(packer, record->pod_uid);
        pack_string(packer, record->container_id);
        pack_string(packer, record->container_name);
        pack_string(packer, record->target);
        pack_u32(packer, record->pid);
        pack_u64(packer, record->start_time);
        pack_inode(packer, record->root);
        pack_inode(packer, record->runtime);
        pack_inode(packer, record->mount_namespace);
        pack_inode(packer, record->pid_namespace);
        pack_inode(packer, record->user_namespace);
        pack_u32(packer, record->workload_uid);
        pack_u32(packer, record->workload_gid);
        pack_string(packer, record->directory);
        pack_strings(packer, record->environment);
        pack_u32(packer, record->limit_count);
        for (uint32_t i = 0; i < record->limit_count; i++) {
                pack_u32(packer, record->limits[i].resource);
                pack_u64(packer, record->limits[i].soft);
                pack_u64(packer, record->limits[i].hard);
        }
        pack_string(packer, record->apparmor);
        pack_string(packer, record->selinux);
        pack_identity(packer, &record->identity);
        pack_u32(packer, record->cgroup_count);
        for (uint32_t i = 0; i < record->cgroup_count; i++)
                pack_string(packer, record->cgroups[i]);
        pack_string(packer, record->policy_source);
        pack_string(packer, record->policy_text);
        pack_bytes(packer, record->policy, record->policy_size);
        pack_bytes(packer, record->policy_hash, sizeof(record->policy_hash));
}

int record_unpack(const void *data, size_t size, Record *ret_record, Error *error) {
        Unpacker fields = unpacker(data, size);
        cleanup_free const char **environment = NULL;
        Record record = { 0 };
        const void *hash;
        size_t hash_size;

        if (unpack_u32(&fields) != RECORD_MAGIC)
                return error_set(error, ERROR_PEER, 0, "not a container record of this version");
        record.pod = unpack_string(&fields);
        record.pod_name = unpack_string(&fields);
        record.pod_namespace = unpack_string(&fields);
        record.pod_uid = unpack_string(&fields);
        record.container_id = unpack_string(&fields);
        record.container_name = unpack_string(&fields);
        record.target = unpack_string(&fields);
        record.pid = unpack_u32(&fields);
        record.start_time = unpack_u64(&fields);
        record.root = unpack_inode(&fields);
        record.runtime = unpack_inode(&fields);
        record.mount_namespace = unpack_inode(&fields);
        record.pid_namespace = unpack_inode(&fields);
        record.user_namespace = unpack_inode(&fields);
        record.workload_uid = unpack_u32(&fields);
        record.workload_gid = unpack_u32(&fields);
        record.directory = unpack_string(&fields);
        environment = unpack_strings(&fields, RECORD_ENVIRONMENT_MAX, NULL);
        record.limit_count = unpack_count(&fields, RECORD_RLIMITS_MAX);
        for (uint32_t i = 0; i < record.limit_count; i++) {
                record.limits[i].resource = unpack_u32(&fields);
                record.limits[i].soft = unpack_u64(&fields);
                record.limits[i].hard = unpack_u64(&fields);
        }
        record.apparmor = unpack_string(&fields);
        record.selinux = unpack_string(&fields);
        unpack_identity(&fields, &record.identity);
        record.cgroup_count = unpack_count(&fields, RECORD_CGROUPS_MAX);
        for (uint32_t i = 0; i < record.cgroup_count; i++)
                record.cgroups[i] = unpack_string(&fields);
        record.policy_source = unpack_string(&fields);
        record.policy_text = unpack_string(&fields);
        record.policy = unpack_bytes(&fields, &record.policy_size);
        hash = unpack_bytes(&fields, &hash_size);
        if (!unpack_end(&fields) || hash_size != sizeof(record.policy_hash))
                return error_set(error, ERROR_PEER, 0, "a malformed container record");
        memcpy(record.policy_hash, hash, sizeof(record.policy_hash));
        record.environment = take_ptr(environment);
        *ret_record = record;
        return 0;
}
