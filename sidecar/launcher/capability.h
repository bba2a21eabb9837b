/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Capability sets of the calling process, by the system calls alone. Numbers are those of
 * <linux/capability.h>. Functions return 0 or -errno.
 */
#include <linux/capability.h>
#include <stdint.h>

#include "base/error.h"

typedef uint64_t CapabilitySet;
#define CAPABILITY(number) (1ULL << (number))

/* What the launcher lives with: joining namespaces (SYS_ADMIN, SYS_CHROOT, SYS_PTRACE), becoming
 * the sandbox user (SETUID, SETGID, SETPCAP), ending trees (KILL), pipes and directories that
 * belong to that user (CHOWN, FOWNER), paths below another uid's 0700 directory (DAC_OVERRIDE), low
 * ports (NET_BIND_SERVICE). */
#define CAPABILITIES_FOR_LIFE                                                                      \
        (CAPABILITY(CAP_SYS_ADMIN) | CAPABILITY(CAP_SYS_CHROOT) | CAPABILITY(CAP_SYS_PTRACE) |     \
                CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETPCAP) |        \
                CAPABILITY(CAP_KILL) | CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) |      \
                CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_NET_BIND_SERVICE))
/* Given up as soon as the sandbox network stands. */
#define CAPABILITIES_FOR_NETWORK (CAPABILITY(CAP_NET_ADMIN) | CAPABILITY(CAP_NET_RAW))

/* Permitted and effective become `set`, inheritable and ambient empty. */
int capability_keep_only(CapabilitySet set);
/* Takes every capability this kernel knows out of the bounding set. */
int capability_empty_bounding_set(void);
/* Keeps exactly `needed`. 0, or -1 naming those that are not there. */
int capability_require(CapabilitySet needed, Error *error);
