/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Jail: a parser run on bytes that are already in memory, in a forked child that can do nothing but
 * compute.
 *
 * The child has an unused uid and gid, no capability, no descriptor but the pipe of its result,
 * limits on memory and time, and a seccomp filter that kills it for anything else than reading,
 * writing that pipe, allocating and leaving. Whatever an author can do to a parser ends there; the
 * caller believes only the flat record that comes back, and checks every length of it.
 *
 * One run costs a fork: below 2 ms for a process of ours. The caller is single-threaded, does not
 * ignore SIGCHLD, and waits for it.
 */
#include <stddef.h>

#include "base/error.h"
#include "base/pack.h"

/* Owns no file and runs nothing else, on any node: below nobody's 65534, which network file systems
 * and sandboxes do use. */
#define JAIL_UID 65533U
#define JAIL_GID 65533U

typedef enum JailIdentity {
        JAIL_DROP_IDENTITY = 1, /* become JAIL_UID; a caller that may not is refused */
        JAIL_NOTHING_TO_DROP,   /* the caller says so; believed only without uid 0 and without
                                   capabilities */
} JailIdentity;

typedef struct Jail {
        const char *name; /* what messages call it: "policy parser" */
        JailIdentity identity;
        size_t memory_max;    /* bytes of address space, what the caller has mapped included */
        size_t result_max;    /* bytes */
        unsigned deadline_ms; /* wall clock; also bounds the processor time, in whole seconds */
} Jail;

/* Runs in the child: writes its result to *result, or fails with *error, which reaches the caller
 * of jail_run() as it is. It opens nothing: a library that seeds itself (jansson's hash table from
 * /dev/urandom) is seeded before the run. */
typedef int JailParser(const void *input, Packer *result, Error *error);

/* *ret_result is malloc'ed and belongs to the caller. On failure: the parser's own error, or
 * ERROR_OS where the jail cannot be built, ERROR_LIMIT past a limit, ERROR_INPUT where the input
 * crashed the parser. The child is gone in every case. */
int jail_run(const Jail *jail, JailParser *parse, const void *input, void **ret_result,
        size_t *ret_size, Error *error);
