/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A closed table, as serve.c has for the gateway. Egress parses what the sandbox and the network
 * send it, so this is what an attacker who has taken it over can do: have listeners inside the
 * sandbox's network, learn which program has a connection, and write audit lines under its own
 * name.
 */
#include "sidecar/launcher/serve_egress.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "sidecar/launcher/clock.h"
#include "sidecar/launcher/netlink.h"
#include "sidecar/launcher/network.h"
#include "sidecar/launcher/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Before the others are heard: a look-up may take long (owner.c). */
#define MESSAGES_A_TURN 64
#define TURN_LIMIT_MS 20

int serve_egress_prepare(Launcher *launcher, Error *error) {
        const int proc_fd = launcher->host.proc_fd, network_fd = launcher->host.base.network_fd;
        OwnerFinder *finder = &launcher->owners;

        *finder = (OwnerFinder){
                .proc_fd = proc_fd,
                .targets = &launcher->targets,
                .sessions = &launcher->sessions,
        };
        if (doors_open(&launcher->doors, proc_fd, network_fd, error) < 0 ||
                network_socket(proc_fd, network_fd, AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK,
                        NETLINK_SOCK_DIAG, &finder->diagnosis[WIRE_NETWORK_SANDBOX], error) < 0 ||
                netlink_open_diagnosis(&finder->diagnosis[WIRE_NETWORK_POD], error) < 0)
                return -1;
        return owner_prepare(finder, error);
}

/* ---- the policy ---- */

/* A memory file that nobody can change any more. */
static int make_policy_file(const void *packed, size_t size, int *ret_fd) {
        cleanup_fd int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = fd_write_full(fd, packed, size);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        *ret_fd = take_fd(fd);
        return 0;
}

static void send_policy(Launcher *launcher) {
        Role *egress = &launcher->egress;

        if (launcher->policy_fd >= 0 && egress->control >= 0)
                (void)role_sent(egress, wire_policy_write(egress->control,
                                                launcher->policy_generation, launcher->policy_fd));
}

/* No policy comes into force that the audit does not know: until it takes the line, the last one
 * stays. That is said once, and tried again. */
static int announce_policy(
        Launcher *launcher, const uint8_t hash[static SHA256_SIZE], const char *waits) {
        const int64_t now = clock_milliseconds();
        char text[SHA256_TEXT_SIZE];
        AuditEvent event;

        sha256_text(hash, text);
        audit_begin(&event, "launcher", "policy_changed");
        audit_number(&event, "generation", launcher->policy_generation + 1);
        audit_text(&event, "policy_sha256", text);
        if (waits != NULL)
                audit_text(&event, "waits_for_restart", waits);
        if (audit_write(&launcher->audit, &event) == 0) {
                launcher->policy_deadline = 0;
                return 0;
        }
        if (launcher->policy_deadline == 0) {
                launcher->policy_deadline = now + AUDIT_LIMIT_MS;
        } else if (launcher->policy_deadline <= now) {
                launcher->policy_deadline = INT64_MAX;
                audit_lose(&launcher->audit);
                log_line(LOG_LEVEL_ERROR,
                        "the audit takes no lines: no policy comes into force without its line");
        }
        return -1;
}

int serve_set_policy(Launcher *launcher, const void *packed, size_t size,
        const uint8_t hash[static SHA256_SIZE], const char *waits) {
        int fd = -1;
        int r;

        if (announce_policy(launcher, hash, waits) < 0)
                return -1;
        r = make_policy_file(packed, size, &fd);
        if (r < 0) {
                log_line(LOG_LEVEL_ERROR, "cannot hand the policy to egress: %s",
                        strerrordesc_np(-r));
                return 0;
        }
        (void)fd_close(launcher->policy_fd);
        launcher->policy_fd = fd;
        launcher->policy_generation++;
        memcpy(launcher->policy_hash, hash, sizeof(launcher->policy_hash));
        send_policy(launcher);
        return 0;
}

/* One network, one policy: that of the container which sessions enter by default. A container that
 * comes has the policy it started with; reload.c sees what has become of its file since. */
void serve_tell_policy(Launcher *launcher) {
        Target *target = NULL;

        if (targets_select(&launcher->targets, "", &target, NULL) < 0 || target->policy == NULL ||
                target == launcher->policy_target)
                return; /* the last one stays in force */
        if ((launcher->policy_fd < 0 ||
                    memcmp(launcher->policy_hash, target->record.policy_hash, SHA256_SIZE) != 0) &&
                serve_set_policy(launcher, target->record.policy, target->record.policy_size,
                        target->record.policy_hash, NULL) < 0)
                return;
        launcher->policy_target = target;
}

/* ---- starting and ending ---- */

void serve_start_egress(Launcher *launcher) {
        Role *egress = &launcher->egress;
        Doors *doors = &launcher->doors;
        Error error;

        if (role_start(egress, &error) < 0) {
                (void)log_error(&error, "starting");
                role_ended(egress);
                return;
        }
        doors_forget_wants(doors);
        for (unsigned i = 0; i < doors->fixed_count; i++)
                (void)role_sent(egress,
                        wire_give(egress->control, doors->fixed[i].name, doors->fixed[i].fd));
        send_policy(launcher);
        (void)role_sent(egress, wire_signal(egress->control, WIRE_START, 0));
}

void serve_lose_egress(Launcher *launcher) {
        serve_audit_role(launcher, &launcher->egress, "process_ended");
        role_ended(&launcher->egress);
}

/* ---- what it asks ---- */

static int ready(Launcher *launcher, WireMessage *message, Error *error) {
        launcher->egress.state = ROLE_SERVING;
        doors_drop_unwanted(&launcher->doors);
        serve_audit_role(launcher, &launcher->egress, "process_ready");
        return 0;
}

static int policy_taken(Launcher *launcher, WireMessage *message, Error *error) {
        char hash[SHA256_TEXT_SIZE];
        AuditEvent event;

        sha256_text(launcher->policy_hash, hash);
        audit_begin(&event, "launcher", "policy_in_force");
        audit_number(&event, "generation", message->header.id);
        audit_text(&event, "policy_sha256", hash);
        if (audit_write(&launcher->audit, &event) < 0)
                audit_lose(&launcher->audit);
        return 0;
}

static int listener_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        Role *egress = &launcher->egress;
        WireSocket where;
        int r, fd;

        if (wire_listen_read(message, &where, error) < 0)
                return -1;
        r = doors_listen(&launcher->doors, &where, &fd);
        if (r < 0)
                (void)role_sent(egress, wire_listen_refused_write(
                                                egress->control, message->header.id, (uint32_t)-r));
        else
                (void)role_sent(
                        egress, wire_listening_write(egress->control, message->header.id, fd));
        return 0;
}

static int listener_unwanted(Launcher *launcher, WireMessage *message, Error *error) {
        WireSocket where;

        if (wire_unlisten_read(message, &where, error) < 0)
                return -1;
        doors_close(&launcher->doors, &where);
        return 0;
}

static int owner_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        Role *egress = &launcher->egress;
        OwnerText text;
        WireOwnerAsk ask;
        WireOwner owner;

        if (wire_owner_ask_read(message, &ask, error) < 0)
                return -1;
        owner_find(&launcher->owners, &ask, &text, &owner);
        (void)role_sent(egress, wire_owner_write(egress->control, message->header.id, &owner));
        return 0;
}

static int programs_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        Role *egress = &launcher->egress;
        cleanup_free const char **paths = NULL;
        cleanup_free WireFile *files = NULL;
        const char *container;
        uint32_t count = 0;
        Target *target = NULL;

        if (wire_programs_ask_read(message, &container, &paths, error) < 0)
                return -1;
        while (paths[count] != NULL)
                count++;
        files = calloc(count + 1, sizeof(*files));
        if (files == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "looking programs up");
        target = targets_find_living(&launcher->targets, container);
        if (target != NULL && target->state == TARGET_ENTERABLE)
                owner_find_programs(launcher->host.proc_fd, target, paths, files, count);
        (void)role_sent(
                egress, wire_programs_write(egress->control, message->header.id, files, count));
        return 0;
}

static int line_wanted(Launcher *launcher, WireMessage *message, Error *error) {
        return serve_audit_line(launcher, &launcher->egress, message, error);
}

static const struct {
        WireType type;
        int (*handle)(Launcher *launcher, WireMessage *message, Error *error);
} requests[] = {
        { WIRE_READY, ready },
        { WIRE_POLICY_TAKEN, policy_taken },
        { WIRE_LISTEN, listener_wanted },
        { WIRE_UNLISTEN, listener_unwanted },
        { WIRE_OWNER_ASK, owner_wanted },
        { WIRE_PROGRAMS_ASK, programs_wanted },
        { WIRE_AUDIT, line_wanted },
};

static int dispatch(Launcher *launcher, WireMessage *message, Error *error) {
        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
                if (requests[i].type == message->header.type)
                        return requests[i].handle(launcher, message, error);
        return error_set(error, ERROR_PEER, 0, "message %d", (int)message->header.type);
}

static bool more_is_there(int control) {
        struct pollfd watched = { .fd = control, .events = POLLIN };

        return poll(&watched, 1, 0) > 0;
}

void serve_hear_egress(Launcher *launcher) {
        const int64_t end = clock_milliseconds() + TURN_LIMIT_MS;
        Role *egress = &launcher->egress;
        Error error;

        for (int i = 0; i < MESSAGES_A_TURN && egress->state != ROLE_FAILED &&
                        clock_milliseconds() < end && more_is_there(egress->control);
                i++) {
                int r = wire_receive(egress->control, &launcher->message);

                if (r <= 0) {
                        egress->state = ROLE_FAILED;
                        return;
                }
                if (dispatch(launcher, &launcher->message, &error) < 0) {
                        (void)log_error(&error, "%s is ended for what it said", egress->name);
                        egress->state = ROLE_FAILED;
                }
                wire_message_done(&launcher->message);
        }
}
