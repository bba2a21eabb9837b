/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Review: the two questions to the API server, and its answers. Pure: text in, text out.
 *
 *   TokenReview (authentication.k8s.io/v1)          whose token is this, and is it meant for us?
 *   SubjectAccessReview (authorization.k8s.io/v1)   may he?
 *
 * Anything but a clear yes is a no, or an error.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define REVIEW_TOKEN_PATH "/apis/authentication.k8s.io/v1/tokenreviews"
#define REVIEW_ACCESS_PATH "/apis/authorization.k8s.io/v1/subjectaccessreviews"
#define REVIEW_NAME_MAX 256U

/* malloc'ed JSON, or NULL: no memory, or a token that is no UTF-8. */
char *review_token_question(const char *token, size_t size, const char *audience);

/* 1: a user, whose name is written; 0: nobody's token, or one for another audience; -1: ERROR_PEER,
 * no answer to this question. */
int review_token_answer(const char *json, const char *audience,
        char ret_name[static REVIEW_NAME_MAX], Error *error);

/* The access that is asked about: VERB sessions.navigator.sandbox, named after the pod. */
typedef struct ReviewAccess {
        const char *verb; /* "create" or "get" */
        const char *pod_namespace, *pod;
} ReviewAccess;

/* For the user of a token's answer. malloc'ed JSON, or NULL. */
char *review_access_question(const char *token_answer, const ReviewAccess *access);

/* 1: allowed; 0: not; -1: ERROR_PEER. */
int review_access_answer(const char *json, Error *error);
