/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Drafts -> model: what the keys mean, alone and together. Private to policy/parse, validate,
 * network, programs and requests. A function goes on after an error where it can, so that all errors of a
 * file are found; the result counts only when none was.
 */
#include "base/arena.h"
#include "policy/diagnostic.h"
#include "policy/document.h"
#include "policy/draft.h"
#include "policy/keys.h"
#include "policy/policy.h"

#define FINDINGS_MAX 100U /* the next one says how many more there are */

typedef struct Finding Finding;

typedef struct Build {
        Arena *arena; /* of the model */
        Diagnostics *diagnostics;
        Policy *policy; /* filled in */
        Finding *first_finding, *last_finding;
        uint32_t findings;
} Build;

/* validate.c */
int build_policy(Build *build, const Node *root);
/* network.c */
int build_networks(Build *build, const Node *map);
/* programs.c: who may use a network policy's endpoints, which are known already. */
int build_binaries(Build *build, const Node *list, PolicyNetwork *network);
/* requests.c: the keys about single requests. network is the policy's name, for messages. */
int build_requests(
        Build *build, const char *network, const DraftEndpoint *draft, PolicyEndpoint *endpoint);
/* settings.c: what the endpoint says about requests and the model has no words for, as text. NULL
 * without memory, which is reported. */
const char *build_settings(
        Build *build, const DraftEndpoint *draft, const PolicyEndpoint *endpoint);
/* overlap.c: endpoints of several policies that meet on a host and port. */
int build_check_overlaps(Build *build, const PolicyNetwork *networks, uint32_t count);

/* build.c */
printf_like(3, 4) int build_error(Build *build, PolicyPosition position, const char *format, ...);
printf_like(4, 5) void build_find(
        Build *build, PolicyFindingKind kind, PolicyPosition position, const char *format, ...);
int build_store_findings(Build *build);
int build_no_memory(Build *build);
/* Reports the accepted keys of a draft's section that were given; value is the key's node. */
void build_report_accepted(Build *build, const KeySection *section, const void *draft);
/* The value is not the one that says nothing: false, 0, "". */
bool build_says_something(const Key *key, const Node *node);
/* A copy in the model's arena; "" for NULL. NULL without memory, which is reported. */
const char *build_text(Build *build, const Node *node);
/* The texts of a list. */
int build_texts(Build *build, const Node *list, const char *const **ret_texts, uint32_t *ret_count);
