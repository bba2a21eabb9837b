/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pipes: the buffers of splice(2), shared by all connections. A direction has one only while bytes
 * are under way in it, so a thousand idle connections hold none, and the memory that all of them
 * can fill is known.
 */
#include <stddef.h>

#include "base/cleanup.h"

/* Bytes. A large pipe means few system calls a gigabyte; 1 MiB is what an unprivileged process may
 * ask for (fs.pipe-max-size). */
#define PIPE_SIZE (1U << 20)
/* The first of them get that size: together 32 MiB, below the 64 MiB a user may have before new
 * pipes shrink to a page (fs.pipe-user-pages-soft). */
#define PIPES_LARGE_MAX 32U
/* So many empty ones are kept for the next direction. */
#define PIPES_SPARE_MAX 32U

typedef struct Pipes Pipes;

typedef struct Pipe {
        int read_fd, write_fd; /* -1, -1: none */
        size_t held;           /* bytes inside */
        int large;
} Pipe;

#define PIPE_NONE ((Pipe){ .read_fd = -1, .write_fd = -1 })

Pipes *pipes_new(void); /* NULL without memory */
Pipes *pipes_free(Pipes *pipes);
DEFINE_CLEANUP(Pipes *, pipes_free);

/* 0, or -errno: no descriptor is left. */
int pipes_take(Pipes *pipes, Pipe *ret_pipe);
/* Takes it back, and leaves PIPE_NONE. One that still holds bytes is closed. */
void pipes_give_back(Pipes *pipes, Pipe *pipe);
