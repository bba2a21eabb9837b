/* SPDX-License-Identifier: Apache-2.0 */

#include "hook/plan.h"

#include "policy/ceiling.h"
#include "policy/flat.h"
#include "policy/parse.h"
#include "policy/policy.h"

static int parse(const PlanText *text, Policy **ret_policy, Error *error) {
        Diagnostics diagnostics = { 0 };

        if (policy_parse(text->text, text->size, ret_policy, &diagnostics) < 0)
                return diagnostics_to_error(&diagnostics, text->file, error);
        return 0;
}

/* The author's policy, within the node's ceiling where there is one. */
static int parse_bounded(const PlanInput *input, Policy **ret_policy, Error *error) {
        cleanup(policy_unrefp) Policy *policy = NULL, *ceiling = NULL;

        if (parse(&input->policy, &policy, error) < 0)
                return -1;
        if (input->ceiling.text == NULL) {
                *ret_policy = take_ptr(policy);
                return 0;
        }
        if (parse(&input->ceiling, &ceiling, error) < 0)
                return error_context(error, "the node's ceiling");
        return policy_bound(policy, ceiling, ret_policy, error);
}

static int pack_plan(const Policy *policy, const char *file, Packer *result, Error *error) {
        Packer flat = packer_growing(POLICY_FLAT_SIZE_MAX);
        int r = 0;

        policy_pack(policy, &flat);
        if (flat.failed)
                r = error_set(error, ERROR_LIMIT, 0, "%s: the policy is too large", file);
        else
                pack_bytes(result, flat.data, flat.size);
        packer_done(&flat);
        return r;
}

int plan_make(const void *plan_input, Packer *result, Error *error) {
        const PlanInput *input = plan_input;
        cleanup(policy_unrefp) Policy *policy = NULL;
        IdentityWish wish;

        if (parse_bounded(input, &policy, error) < 0)
                return -1;
        wish = (IdentityWish){
                .user = policy->user,
                .group = policy->group,
                .passwd = input->passwd,
                .groups = input->groups,
                .new_uid = input->new_uid,
                .new_gid = input->new_gid,
        };
        if (identity_resolve(&wish, result, error) < 0)
                return -1;
        return pack_plan(policy, input->policy.file, result, error);
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
