/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The system calls that a session does not have: those that the sidecar does not have either, which
 * it inherits, and those of a program of its own, compiled once by libseccomp in the launcher and
 * installed by each session's child as plain BPF, the last thing before execve.
 */
#include <linux/filter.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct SeccompProgram {
        struct sock_filter *filter; /* owned */
        unsigned short length;
} SeccompProgram;

/* landlock_abi: where Landlock of that ABI lets a read-only file be emptied, the two close it (0:
 * there is no Landlock, and nothing is closed for it). */

/* Forbids this process, and all that it starts from now on, what none of them ever calls. Needs
 * CAP_SYS_ADMIN or no_new_privs. */
int seccomp_restrict_sidecar(int landlock_abi, Error *error);
/* The rest, for a session. */
int seccomp_compile(int landlock_abi, SeccompProgram *ret_program, Error *error);
SeccompProgram seccomp_program_done(SeccompProgram program);
DEFINE_CLEANUP(SeccompProgram, seccomp_program_done);

/* Needs no_new_privs. 0, or -errno. Safe in a forked child: one system call. */
int seccomp_install(const SeccompProgram *program);
