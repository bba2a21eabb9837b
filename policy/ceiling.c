/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two policies stay two: the bounded one carries its ceiling, and whoever decides asks both, which
 * is an exact intersection where one of the patterns would not be. What is written here is only the
 * report of what that takes away.
 */
#include "policy/ceiling.h"

#include "base/path.h"
#include "policy/cover.h"
#include "policy/effective.h"
#include "policy/flat.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTED_MAX 100U
#define REPORT_TEXT_MAX 320U
/* Comparing costs the product of both policies' grants; the report of two huge ones is cut, their
 * intersection is not. */
#define COMPARISONS_MAX 2000000U

typedef struct Report {
        PolicyFinding *findings; /* those of the policy, then ours */
        char (*texts)[REPORT_TEXT_MAX];
        uint32_t count, ours, more;
        uint32_t budget; /* of comparisons */
} Report;

static void report_donep(Report *report) {
        free(report->findings);
        free(report->texts);
}

static int report_begin(Report *report, const Policy *policy, Error *error) {
        report->findings =
                calloc(policy->finding_count + REPORTED_MAX + 1, sizeof(*report->findings));
        report->texts = calloc(REPORTED_MAX + 1, sizeof(*report->texts));
        if (report->findings == NULL || report->texts == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "no room for a bounded policy");
        if (policy->finding_count > 0)
                memcpy(report->findings, policy->findings,
                        policy->finding_count * sizeof(*report->findings));
        report->count = policy->finding_count;
        report->budget = COMPARISONS_MAX;
        return 0;
}

printf_like(3, 4) static void report_add(
        Report *report, PolicyPosition position, const char *format, ...) {
        char *text = report->texts[report->ours];
        va_list args;

        if (report->ours == REPORTED_MAX) {
                (void)snprintf(
                        text, REPORT_TEXT_MAX, "the ceiling takes away %u more", ++report->more);
                report->findings[report->count] =
                        (PolicyFinding){ .kind = POLICY_FINDING_BOUNDED, .text = text };
                return;
        }
        va_start(args, format);
        (void)vsnprintf(text, REPORT_TEXT_MAX, format, args);
        va_end(args);
        report->ours++;
        report->findings[report->count++] = (PolicyFinding){
                .kind = POLICY_FINDING_BOUNDED, .position = position, .text = text
        };
}

static bool leaves_part(const PolicyPath *left, uint32_t count, const char *path) {
        for (uint32_t i = 0; i < count; i++)
                if (path_covers(path, left[i].path))
                        return true;
        return false;
}

static void report_path(
        Report *report, const PolicyPath *wish, const PolicyPath *left, uint32_t count) {
        PolicyAccess access = cover_access(left, count, wish->path);
        const char *name = policy_access_name(wish->access);

        if (access >= wish->access)
                return;
        if (access == POLICY_READ_ONLY)
                report_add(report, wish->position, "the ceiling makes '%s' read_only", wish->path);
        else if (leaves_part(left, count, wish->path))
                report_add(report, wish->position, "the ceiling leaves only a part of %s '%s'",
                        name, wish->path);
        else
                report_add(
                        report, wish->position, "the ceiling takes away %s '%s'", name, wish->path);
}

static int report_paths(Report *report, const Policy *policy, const Policy *bounded, Error *error) {
        cleanup_free PolicyPath *wished = NULL;
        cleanup_free PolicyPath *left = NULL;
        uint32_t wished_count = 0, left_count = 0;

        if (policy_effective_paths(policy, NULL, &wished, &wished_count, error) < 0 ||
                policy_effective_paths(bounded, NULL, &left, &left_count, error) < 0)
                return -1;
        for (uint32_t i = 0; i < wished_count; i++)
                report_path(report, &wished[i], left, left_count);
        return 0;
}

/* A user is no more or less than another: there is nothing to intersect. */
static void report_accounts(Report *report, const Policy *ceiling) {
        if (ceiling->user_position.line != 0 || ceiling->group_position.line != 0)
                report_add(report, (PolicyPosition){ 0 },
                        "the ceiling's run_as_user and run_as_group bound nothing; the policy's "
                        "are used");
}

typedef enum Share { SHARE_NONE, SHARE_PART, SHARE_ALL } Share;

/* How much of one grant the ceiling leaves. */
static Share share_of(const Policy *ceiling, const CoverGrant *grant, uint32_t *budget) {
        GrantWalk walk = { .policy = ceiling };
        Share share = SHARE_NONE;
        CoverGrant bound;

        while (*budget > 0 && cover_next_grant(&walk, &bound)) {
                (*budget)--;
                if (bound.port != grant->port ||
                        !cover_hosts_meet(bound.endpoint->host, grant->endpoint->host))
                        continue;
                if (cover_grant(&bound, grant))
                        return SHARE_ALL;
                share = SHARE_PART;
        }
        return share;
}

static void report_grant(Report *report, const Policy *ceiling, const CoverGrant *grant) {
        Share share = share_of(ceiling, grant, &report->budget);
        const char *host = grant->endpoint->host[0] != '\0' ? grant->endpoint->host : "any host";

        if (share == SHARE_NONE)
                report_add(report, grant->endpoint->position,
                        "network policy '%s': the ceiling takes away %s:%u for '%s'",
                        grant->network->key, host, grant->port, grant->binary->path);
        else if (share == SHARE_PART)
                report_add(report, grant->endpoint->position,
                        "network policy '%s': the ceiling leaves %s:%u for '%s' only in part",
                        grant->network->key, host, grant->port, grant->binary->path);
}

static void report_networks(Report *report, const Policy *policy, const Policy *ceiling) {
        GrantWalk walk = { .policy = policy };
        CoverGrant grant;

        while (report->budget > 0 && cover_next_grant(&walk, &grant))
                report_grant(report, ceiling, &grant);
}

static void report_cut(Report *report) {
        if (report->budget == 0)
                report_add(report, (PolicyPosition){ 0 },
                        "policy and ceiling are too large to list all that the ceiling takes away");
}

static int copy(const Policy *fields, Policy **ret_policy, Error *error) {
        Packer packer = packer_growing(POLICY_FLAT_SIZE_MAX);
        int r;

        policy_pack(fields, &packer);
        if (packer.failed)
                r = error_set(error, ERROR_LIMIT, 0,
                        "the policy and the node's ceiling together are too large");
        else
                r = policy_unpack(packer.data, packer.size, ret_policy, error);
        packer_done(&packer);
        return r;
}

int policy_bound(const Policy *policy, const Policy *ceiling, Policy **ret_policy, Error *error) {
        cleanup(report_donep) Report report = { 0 };
        Policy bounded = *policy;

        if (policy->ceiling != NULL || ceiling->ceiling != NULL)
                return error_set(error, ERROR_INPUT, 0, "a policy is bounded once");
        if (report_begin(&report, policy, error) < 0)
                return -1;
        bounded.ceiling = ceiling;
        if (ceiling->landlock == POLICY_LANDLOCK_HARD && policy->landlock != POLICY_LANDLOCK_HARD) {
                bounded.landlock = POLICY_LANDLOCK_HARD;
                report_add(&report, (PolicyPosition){ 0 },
                        "the ceiling makes landlock a hard_requirement");
        }
        report_accounts(&report, ceiling);
        if (report_paths(&report, policy, &bounded, error) < 0)
                return -1;
        report_networks(&report, policy, ceiling);
        report_cut(&report);
        bounded.findings = report.findings;
        bounded.finding_count = report.count + (report.more > 0);
        return copy(&bounded, ret_policy, error);
}
