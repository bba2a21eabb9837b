/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/judge.h"

#include "sidecar/egress/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTAINERS_MAX 16U /* of a pod, that have a session or a root of their own */
#define FRESH_MS 1000
#define BATCH_MAX 256U        /* paths in one question */
#define BATCH_TEXT_MAX 65536U /* and their bytes */

/* The identities of the policy's exact binaries inside one container's root. */
typedef struct JudgeContainer {
        char name[OWNER_CONTAINER_SIZE];
        Judge *judge;
        PolicyIdentity *identities; /* by PolicyBinary.number; NULL = never asked */
        int64_t asked_at;           /* of what is in identities: when its question began */
        int64_t asking_since;
        uint32_t asking;       /* the question under way; 0 = none */
        uint32_t first, count; /* which of judge->exact it is about */
        TAILQ_HEAD(, JudgeWait) waits;
} JudgeContainer;

struct Judge {
        Control *control;
        Policy *policy;
        uint32_t generation;
        const PolicyBinary **exact; /* of the policy and its ceiling */
        uint32_t exact_count;
        JudgeContainer containers[CONTAINERS_MAX];
};

/* ---- the policy in force ---- */

Judge *judge_new(Control *control) {
        Judge *judge = calloc(1, sizeof(*judge));

        if (judge == NULL)
                return NULL;
        judge->control = control;
        for (size_t i = 0; i < CONTAINERS_MAX; i++) {
                judge->containers[i].judge = judge;
                TAILQ_INIT(&judge->containers[i].waits);
        }
        return judge;
}

static void forget_identities(Judge *judge) {
        for (size_t i = 0; i < CONTAINERS_MAX; i++) {
                JudgeContainer *container = &judge->containers[i];

                control_forget(judge->control, container->asking);
                container->asking = 0;
                free(container->identities);
                container->identities = NULL;
        }
}

Judge *judge_free(Judge *judge) {
        if (judge == NULL)
                return NULL;
        forget_identities(judge);
        free(judge->exact);
        (void)policy_unref(judge->policy);
        free(judge);
        return NULL;
}

static void collect_exact(Judge *judge, const Policy *policy) {
        for (uint32_t i = 0; i < policy->network_count; i++)
                for (uint32_t j = 0; j < policy->networks[i].binary_count; j++) {
                        const PolicyBinary *binary = &policy->networks[i].binaries[j];

                        if (binary->exact)
                                judge->exact[judge->exact_count++] = binary;
                }
        if (policy->ceiling != NULL)
                collect_exact(judge, policy->ceiling);
}

static void wake_all(JudgeContainer *container) {
        JudgeWait *wait;

        while ((wait = TAILQ_FIRST(&container->waits)) != NULL) {
                judge_stop_waiting(wait);
                wait->done(wait->context);
        }
}

void judge_set_policy(Judge *judge, const Policy *policy, uint32_t generation) {
        Policy *old = judge->policy;

        forget_identities(judge);
        free(judge->exact);
        judge->policy = policy_ref(policy);
        judge->generation = generation;
        judge->exact_count = 0;
        judge->exact =
                calloc(policy->binary_count > 0 ? policy->binary_count : 1, sizeof(*judge->exact));
        if (judge->exact != NULL)
                collect_exact(judge, policy);
        (void)policy_unref(old);
        for (size_t i = 0; i < CONTAINERS_MAX; i++)
                wake_all(&judge->containers[i]);
}

const Policy *judge_policy(const Judge *judge) {
        return judge->policy;
}

uint32_t judge_generation(const Judge *judge) {
        return judge->generation;
}

/* ---- deciding ---- */

static const JudgeContainer *find_container(const Judge *judge, const Owner *owner) {
        for (size_t i = 0; owner != NULL && owner->container[0] != '\0' && i < CONTAINERS_MAX; i++)
                if (strcmp(judge->containers[i].name, owner->container) == 0)
                        return &judge->containers[i];
        return NULL;
}

void judge_decide(const Judge *judge, const Destination *destination, const Owner *owner,
        const Address *address, Verdict *ret_verdict) {
        const JudgeContainer *container = find_container(judge, owner);
        const PolicyRequest request = {
                .host = destination->host,
                .port = destination->port,
                .programs = owner != NULL ? owner->programs : NULL,
                .program_count = owner != NULL ? owner->program_count : 0,
                .identities = container != NULL ? container->identities : NULL,
                .address = address,
        };
        PolicyDecision decision;

        ret_verdict->decision = (PolicyDecision){ .reason = POLICY_REASON_HOST };
        (void)snprintf(ret_verdict->text, sizeof(ret_verdict->text), "no policy is in force");
        if (judge->policy == NULL)
                return;
        decision = policy_decide(judge->policy, &request);
        ret_verdict->decision = decision;
        policy_decision_text(&decision, &request, ret_verdict->text, sizeof(ret_verdict->text));
}

bool judge_is_stale(const Judge *judge, const Owner *owner, const Verdict *verdict, int64_t since) {
        const JudgeContainer *container = find_container(judge, owner);
        const PolicyReason reason = verdict->decision.reason;
        int64_t asked_at = container != NULL && container->identities != NULL ? container->asked_at
                                                                              : INT64_MIN;

        if (judge->exact_count == 0 || owner == NULL || owner->container[0] == '\0')
                return false;
        if (reason == POLICY_REASON_BINARY || reason == POLICY_REASON_CEILING)
                return asked_at < since;
        return verdict->decision.allowed && asked_at < since - FRESH_MS;
}

/* ---- looking programs up ---- */

static void on_programs(void *context, WireMessage *message);

/* Asks about the next batch. False when it cannot be asked. */
static bool ask_next(JudgeContainer *container) {
        Judge *judge = container->judge;
        const char *paths[BATCH_MAX + 1] = { NULL };
        size_t text = 0;

        container->count = 0;
        for (uint32_t i = container->first; i < judge->exact_count && container->count < BATCH_MAX;
                i++) {
                text += strlen(judge->exact[i]->path);
                if (text > BATCH_TEXT_MAX && container->count > 0)
                        break;
                paths[container->count++] = judge->exact[i]->path;
        }
        container->asking = control_expect(judge->control, on_programs, container);
        if (container->asking == 0)
                return false;
        if (wire_programs_ask_write(
                    control_fd(judge->control), container->asking, container->name, paths) == 0)
                return true;
        control_forget(judge->control, container->asking);
        container->asking = 0;
        return false;
}

static void on_programs(void *context, WireMessage *message) {
        JudgeContainer *container = context;
        Judge *judge = container->judge;
        WireFile files[BATCH_MAX];

        container->asking = 0;
        if (message->header.type != WIRE_PROGRAMS ||
                wire_programs_read(message, files, container->count, NULL) < 0) {
                wake_all(container);
                return;
        }
        for (uint32_t i = 0; i < container->count; i++) {
                const PolicyBinary *binary = judge->exact[container->first + i];

                container->identities[binary->number] =
                        (PolicyIdentity){ .device = files[i].device, .inode = files[i].inode };
        }
        container->first += container->count;
        if (container->first < judge->exact_count && ask_next(container))
                return;
        if (container->first == judge->exact_count)
                container->asked_at = container->asking_since;
        wake_all(container);
}

static JudgeContainer *take_container(Judge *judge, const char *name) {
        for (size_t i = 0; i < CONTAINERS_MAX; i++) {
                JudgeContainer *container = &judge->containers[i];

                if (container->name[0] == '\0')
                        (void)snprintf(container->name, sizeof(container->name), "%s", name);
                if (strcmp(container->name, name) == 0)
                        return container;
        }
        return NULL;
}

bool judge_look_up(Judge *judge, const Owner *owner, JudgeWait *wait) {
        JudgeContainer *container = take_container(judge, owner->container);

        if (container == NULL || judge->policy == NULL || judge->exact == NULL)
                return false;
        if (container->identities == NULL) {
                container->identities =
                        calloc(judge->policy->binary_count, sizeof(*container->identities));
                container->asked_at = INT64_MIN;
        }
        if (container->identities == NULL)
                return false;
        wait->container = container;
        TAILQ_INSERT_TAIL(&container->waits, wait, list);
        if (container->asking != 0)
                return true;
        container->first = 0;
        container->asking_since = clock_milliseconds();
        if (ask_next(container))
                return true;
        judge_stop_waiting(wait);
        return false;
}

void judge_stop_waiting(JudgeWait *wait) {
        if (wait->container == NULL)
                return;
        TAILQ_REMOVE(&wait->container->waits, wait, list);
        wait->container = NULL;
}
