/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pipes: the descriptors of one program, copied from and to one stream: pipes, or the master of its
 * terminal.
 *
 * Owns the descriptors. Output goes straight into the stream and stops while that is full; input
 * waits in a buffer of at most PIPES_INPUT_MAX and a piece, and the owner pauses the stream while
 * pipes_is_full().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct event_base;
typedef struct Stream Stream;
typedef struct Pipes Pipes;

#define PIPES_INPUT_MAX (128U * 1024U)

typedef struct PipesEvents {
        void (*room)(void *owner);    /* input takes more again */
        void (*drained)(void *owner); /* after pipes_drain(): no more output will come */
} PipesEvents;

/* -1 for a stream that was not asked for; with a terminal only that. */
typedef struct PipesFds {
        int terminal;
        int input, output, errors;
} PipesFds;

/* Takes the descriptors, also when it fails. Borrows loop, stream and events. */
int pipes_new(struct event_base *loop, const PipesFds *fds, Stream *stream,
        const PipesEvents *events, void *owner, Pipes **ret_pipes, Error *error);
Pipes *pipes_free(Pipes *pipes);

/* Keeps data for the program; what it does not want any more is dropped. -1: no memory.
 * pipes_flush() writes what it takes now. */
int pipes_input(Pipes *pipes, const uint8_t *data, size_t size);
void pipes_flush(Pipes *pipes);
bool pipes_is_full(const Pipes *pipes);

/* Closes the program's input behind what is kept; on a terminal as a person would, with its
 * end-of-file character. */
void pipes_end_input(Pipes *pipes);

/* Without effect where there is no terminal. */
void pipes_resize(Pipes *pipes, uint16_t columns, uint16_t rows);

/* The stream takes output again. */
void pipes_resume_output(Pipes *pipes);

/* The program has ended: tells drained() when all output is read. Somebody else may hold the other
 * ends open: 2 s later what is in the pipes then is the last. */
void pipes_drain(Pipes *pipes);
