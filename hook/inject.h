/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inject: what a workload container finds in its file system because of us.
 *
 *   /etc/navigator/policy.yaml        the policy, byte for byte
 *   /etc/navigator/proxy.env          the proxy settings, for tools
 *   /etc/navigator/ca.pem             certificate authorities of the node, where it has any,
 *   /etc/navigator/ca-bundle.pem      and the image's own together with them
 *   /etc/profile.d/zz-navigator.sh    the same for login shells, and the image's PATH
 *   /etc/passwd, /etc/group           with the user `sandbox`, where the image lacks it
 *   /sandbox                          a small writable tmpfs, where the image has nothing there
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hook/authorities.h"
#include "hook/identity.h"
#include "hook/passwd.h"
#include "hook/rootfs.h"

typedef struct Injection {
        const Rootfs *rootfs;
        PasswdText policy; /* any text; all of it is borrowed */
        PasswdText passwd, groups;
        const Identity *identity;
        const Authorities *authorities;
        const char *path;            /* the image's PATH, or NULL */
        const char *label;           /* SELinux, or "" */
        uint32_t home_uid, home_gid; /* owner of /sandbox, as the host numbers it */
        uint64_t home_size;
} Injection;

/* Inside the container's mount namespace (hook/rootfs.h). After a failure the container must not
 * run. */
int inject(const Injection *injection, Error *error);
