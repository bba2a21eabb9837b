/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/plan.h"

#include "policy/flat.h"
#include "policy/parse.h"
#include "policy/policy.h"

static int parse(const PlanText *text, Policy **ret_policy, Error *error) {
        Diagnostics diagnostics = { 0 };

        if (policy_parse(text->text, text->size, ret_policy, &diagnostics) < 0)
                return diagnostics_to_error(&diagnostics, text->file, error);
        return 0;
}

int plan_make(const void *plan_input, Packer *result, Error *error) {
        const PlanInput *input = plan_input;
        cleanup(policy_unrefp) Policy *policy = NULL;
        Packer flat = packer_growing(POLICY_FLAT_SIZE_MAX);
        IdentityWish wish;
        int r;

        if (parse(&input->policy, &policy, error) < 0)
                return -1;
        wish = (IdentityWish){
                .user = policy->user,
                .group = policy->group,
                .passwd = input->passwd,
                .groups = input->groups,
                .new_uid = input->new_uid,
                .new_gid = input->new_gid,
        };
        r = identity_resolve(&wish, result, error);
        if (r == 0) {
                policy_pack(policy, &flat);
                if (flat.failed)
                        r = error_set(error, ERROR_LIMIT, 0, "%s: the policy is too large", input->policy.file);
                else
                        pack_bytes(result, flat.data, flat.size);
        }
        packer_done(&flat);
        return r;
}

int plan_unpack(const void *data, size_t size, Plan *ret_plan, Error *error) {
        Unpacker fields = unpacker(data, size);
        Plan plan = { 0 };

        identity_unpack(&fields, &plan.identity);
        plan.policy = unpack_bytes(&fields, &plan.policy_size);
        if (!unpack_end(&fields))
                return error_set(error, ERROR_PEER, 0, "a malformed result of the policy parser");
        *ret_plan = plan;
        return 0;
}
