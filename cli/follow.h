/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Follow: the lines of a file, those that are there and, if wished, those that come, in bounded
 * memory. A file that is replaced (rotation) is read to its end and then the new one from its
 * beginning; one that was cut is read again from its beginning.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A line without its newline, for the call. False ends the reading. */
typedef bool FollowLine(void *context, const char *line, size_t size);

typedef struct FollowOptions {
        const char *path; /* "-": standard input, to its end */
        bool wait;        /* for what comes, until SIGINT or SIGTERM, which end it well */
        int output;       /* whose reader may go: that ends the waiting, too */
        size_t longest;   /* a longer line is left out */
        FollowLine *found;
        void (*caught_up)(void *context); /* all that was there has been read; NULL */
        void *context;
} FollowOptions;

/* 0 at the end, or -1. A missing file has error->code ENOENT. */
int follow(const FollowOptions *options, Error *error);
