/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The launcher gets its capabilities from its file. A container runtime that starts a user other
 * than 0 with added capabilities raises them as ambient ones too, and those would pass through an
 * execve to anything: hence the first thing done is to keep a permitted and an effective set and
 * nothing that is inherited.
 */
#include "sidecar/launcher/capability.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
        unsigned number;
        const char *name;
} names[] = {
        { CAP_SYS_ADMIN, "SYS_ADMIN" },
        { CAP_SYS_CHROOT, "SYS_CHROOT" },
        { CAP_SYS_PTRACE, "SYS_PTRACE" },
        { CAP_SETUID, "SETUID" },
        { CAP_SETGID, "SETGID" },
        { CAP_SETPCAP, "SETPCAP" },
        { CAP_KILL, "KILL" },
        { CAP_CHOWN, "CHOWN" },
        { CAP_FOWNER, "FOWNER" },
        { CAP_DAC_OVERRIDE, "DAC_OVERRIDE" },
        { CAP_NET_ADMIN, "NET_ADMIN" },
        { CAP_NET_BIND_SERVICE, "NET_BIND_SERVICE" },
        { CAP_NET_RAW, "NET_RAW" },
};

typedef struct Sets {
        struct __user_cap_data_struct word[_LINUX_CAPABILITY_U32S_3];
} Sets;

static struct __user_cap_header_struct this_process(void) {
        return (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
}

int capability_keep_only(CapabilitySet set) {
        struct __user_cap_header_struct header = this_process();
        Sets sets = {
                .word = {
                        { .effective = (uint32_t)set, .permitted = (uint32_t)set },
                        { .effective = (uint32_t)(set >> 32), .permitted = (uint32_t)(set >> 32) },
                },
        };

        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;
        return syscall(SYS_capset, &header, sets.word) < 0 ? -errno : 0;
}

int capability_empty_bounding_set(void) {
        int held;

        for (int number = 0; (held = prctl(PR_CAPBSET_READ, number, 0, 0, 0)) >= 0; number++)
                if (held == 1 && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
                        return -errno;
        return 0;
}

static void list_names(CapabilitySet set, char *text, size_t room) {
        size_t used = 0;

        text[0] = '\0';
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if ((set & CAPABILITY(names[i].number)) != 0 && used < room)
                        used += (size_t)snprintf(text + used, room - used, "%s%s",
                                used > 0 ? " " : "", names[i].name);
}

int capability_require(CapabilitySet needed, Error *error) {
        struct __user_cap_header_struct header = this_process();
        char missing[ERROR_TEXT_MAX / 2];
        Sets sets = { 0 };
        CapabilitySet held;
        int r;

        if (syscall(SYS_capget, &header, sets.word) < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot read the capabilities of this process");
        held = (CapabilitySet)sets.word[1].permitted << 32 | sets.word[0].permitted;
        if ((needed & ~held) != 0) {
                list_names(needed & ~held, missing, sizeof(missing));
                return error_set(error, ERROR_OS, 0,
                        "capabilities are missing: %s; the container must allow them and the file "
                        "must carry them",
                        missing);
        }
        r = capability_keep_only(needed);
        if (r < 0)
                return error_set(
                        error, ERROR_OS, -r, "cannot reduce the capabilities of this process");
        return 0;
}
