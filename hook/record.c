/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/record.h"

#include "base/sha256.h"

#include <string.h>

static int fill_inodes(const Process *process, Record *record, Error *error) {
        const struct {
                const char *link;
                RecordInode *inode;
        } links[] = {
                { "exe", &record->runtime },
                { "ns/mnt", &record->mount_namespace },
                { "ns/pid", &record->pid_namespace },
                { "ns/user", &record->user_namespace },
        };

        for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
                if (process_inode(process, links[i].link, links[i].inode, error) < 0)
                        return -1;
        return 0;
}

int record_fill(const Hook *hook, const Source *policy, const Plan *plan, const char **environment,
        RecordInode root, const Cgroups *cgroups, Record *ret_record, Error *error) {
        const Bundle *bundle = &hook->bundle;

        *ret_record = (Record){
                .pod = hook->pod_id,
                .pod_name = hook->state.engine.pod_name,
                .pod_namespace = hook->state.engine.pod_namespace,
                .pod_uid = hook->state.engine.pod_uid,
                .container_id = hook->state.id,
                .container_name = hook->name,
                .target = hook->state.target,
                .pid = hook->process.pid,
                .start_time = hook->process.start_time,
                .root = root,
                .workload_uid = bundle->uid,
                .workload_gid = bundle->gid,
                .directory = bundle->directory,
                .environment = environment,
                .limit_count = bundle->limit_count,
                .apparmor = bundle->apparmor,
                .selinux = bundle->selinux,
                .identity = plan->identity.record,
                .cgroup_count = cgroups->count,
                .policy_source = policy->label,
                .policy_text = policy->text,
                .policy = plan->policy,
                .policy_size = plan->policy_size,
        };
        memcpy(ret_record->limits, bundle->limits, sizeof(ret_record->limits));
        for (uint32_t i = 0; i < cgroups->count; i++)
                ret_record->cgroups[i] = cgroups->names[i];
        sha256(policy->text, policy->size, ret_record->policy_hash);
        return fill_inodes(&hook->process, ret_record, error);
}
