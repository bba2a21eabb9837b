/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Source: the text of the policy, from where the pod's author said. A source that was named and is
 * not there is a refusal, never a fall-through: a typo must not choose another policy.
 */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hook/bundle.h"
#include "hook/node.h"
#include "hook/rootfs.h"
#include "hook/select.h"

#define SOURCE_LABEL_MAX 300U

typedef struct Source {
        char *text; /* owned */
        size_t size;
        char label[SOURCE_LABEL_MAX]; /* for the record: "image", "node/NAME", "configmap/NAME",
                                         "default", "built-in" */
        char file[SOURCE_LABEL_MAX];  /* for FILE:LINE:COLUMN */
} Source;

/* What the node has to say, read in the host's mount namespace: the named source, or, for
 * SOURCE_UNNAMED, what counts if the image brings none. For SOURCE_IMAGE nothing is read yet. */
int source_read_node(int proc, const PolicySelection *selection, const Node *node,
        const Bundle *bundle, Source *ret_source, Error *error);

/* What the image has to say, inside the container's mount namespace: replaces the text for
 * SOURCE_IMAGE and SOURCE_UNNAMED. */
int source_read_image(const PolicySelection *selection, const Node *node, const Rootfs *rootfs,
        Source *source, Error *error);

/* The node's ceiling; text NULL where there is none. */
int source_read_ceiling(const Node *node, Source *ret_source, Error *error);

Source source_free(Source source);
DEFINE_CLEANUP(Source, source_free);
