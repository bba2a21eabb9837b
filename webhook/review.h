/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Review: one AdmissionReview (admission.k8s.io/v1), question in, answer out. Pure: text in, text
 * out.
 *
 * A pod that is being created is admitted, with a patch where it is annotated. Anything else is
 * refused with the reason: nothing else is registered to come here, and what admission does not
 * understand must not pass.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct Settings Settings;

/* An API server reads requests of at most 3 MiB and stores objects of at most 1.5 MiB (etcd). */
#define REVIEW_SIZE_MAX (2U * 1024U * 1024U)
/* Of JSON, each of which costs about a hundred bytes once it is read. A large pod has some
 * thousand.
 */
#define REVIEW_VALUES_MAX 65536U
#define REVIEW_SUBJECT_SIZE 384U

typedef struct ReviewAnswer {
        char *json;                        /* malloc'ed */
        bool patched;                      /* the pod gets its sandbox */
        char subject[REVIEW_SUBJECT_SIZE]; /* "NAMESPACE/NAME", for the log */
} ReviewAnswer;

/* ERROR_INPUT: no AdmissionReview, so that there is nothing to answer; ERROR_LIMIT: too many
 * values, or no memory. */
int review_answer(const Settings *settings, const char *json, size_t size, ReviewAnswer *ret_answer,
        Error *error);
