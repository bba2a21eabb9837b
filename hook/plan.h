/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Plan: what the texts of a workload container come to, all of them in one jail: the policy,
 * bounded by the node's ceiling, and the identity that it asks for, looked up in the image's passwd
 * and group files.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pack.h"
#include "hook/identity.h"
#include "hook/passwd.h"

typedef struct PlanText {
        const char *file; /* for FILE:LINE:COLUMN */
        const char *text; /* NULL: there is none */
        size_t size;
} PlanText;

typedef struct PlanInput {
        PlanText policy;
        PlanText ceiling;
        PasswdText passwd, groups;
        uint32_t new_uid, new_gid; /* for an image without the user `sandbox` */
} PlanInput;

typedef struct Plan {
        Identity identity;
        const void *policy; /* packed by policy/flat */
        size_t policy_size;
} Plan;

/* A JailParser of a PlanInput. Errors of a text carry FILE:LINE:COLUMN. */
int plan_make(const void *plan_input, Packer *result, Error *error);

/* Borrows from data. 0, or -1 with ERROR_PEER. */
int plan_unpack(const void *data, size_t size, Plan *ret_plan, Error *error);
