/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What egress and the launcher say to each other about the sandbox's network: the policy in force,
 * listeners inside that network, and who owns a socket. The rest is as in wire.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/wire/wire.h"

#define WIRE_PROGRAMS_MAX 32U /* a socket's executable and its ancestors */
#define WIRE_PATHS_MAX 1024U  /* executables that one message asks for */

/* An end of a connection. */
typedef struct WireSocket {
        uint8_t family;    /* 4 or 6 */
        uint8_t bytes[16]; /* network order; IPv4 uses the first four */
        uint16_t port;
} WireSocket;

/* The names under which the launcher gives egress its lasting descriptors (wire_give). */
#define WIRE_LISTENER_PROXY "proxy"           /* 127.0.0.1:3128 of the sandbox */
#define WIRE_LISTENER_POD_PROXY "pod-proxy"   /* 127.0.0.1:3128 of the pod */
#define WIRE_LISTENER_NAMES_TCP4 "names-tcp4" /* port 53, every address */
#define WIRE_LISTENER_NAMES_TCP6 "names-tcp6"
#define WIRE_SOCKET_NAMES_UDP4 "names-udp4"
#define WIRE_SOCKET_NAMES_UDP6 "names-udp6"
#define WIRE_SOCKET_PACKETS "packets" /* a packet socket that shows what reaches no listener */

/* POLICY: in force from here on. One descriptor: a memory file with the flat record
 * (policy/flat.h), which the receiver owns. The role answers POLICY_TAKEN (wire_signal, id = the
 * generation) when every decision follows it. */
int wire_policy_write(int socket, uint32_t generation, int fd);
int wire_policy_read(WireMessage *message, uint32_t *ret_generation, int *ret_fd, Error *error);

/* LISTEN: a TCP listener inside the sandbox's network; family 4 or 6 with all bytes 0 means every
 * address. The launcher keeps it until UNLISTEN, so that the port is never free for others while
 * the role restarts; asked again it answers with a duplicate of the same. */
int wire_listen_write(int socket, uint32_t id, const WireSocket *where);
int wire_listen_read(WireMessage *message, WireSocket *ret_where, Error *error);
int wire_listening_write(int socket, uint32_t id, int fd);
int wire_listening_read(WireMessage *message, int *ret_fd, Error *error);
int wire_listen_refused_write(int socket, uint32_t id, uint32_t code);
int wire_listen_refused_read(WireMessage *message, uint32_t *ret_code, Error *error);
int wire_unlisten_write(int socket, const WireSocket *where);
int wire_unlisten_read(WireMessage *message, WireSocket *ret_where, Error *error);

typedef enum WireNetwork {
        WIRE_NETWORK_SANDBOX = 1,
        WIRE_NETWORK_POD,
} WireNetwork;

/* OWNER_ASK: which process has the TCP socket whose own end is `local` and whose other end is
 * `remote`. */
typedef struct WireOwnerAsk {
        WireNetwork network;
        WireSocket local, remote;
} WireOwnerAsk;

typedef enum WireOwnership {
        WIRE_OWNER_FOUND = 1,
        WIRE_OWNER_GONE,      /* nobody has it any more */
        WIRE_OWNER_AMBIGUOUS, /* several programs have it: who speaks cannot be told */
} WireOwnership;

typedef struct WireProgram {
        uint32_t pid;
        uint64_t start_time; /* /proc/PID/stat field 22: pid and start time name a process for good
                              */
        uint64_t device, inode;
        const char *path; /* as the program's own root shows it; "" when it cannot be said */
} WireProgram;

typedef struct WireOwner {
        WireOwnership ownership;
        const char *container; /* whose root it lives in; "" = none of the workload's */
        WireProgram programs[WIRE_PROGRAMS_MAX]; /* the executable, its parent's, and so on */
        uint32_t program_count;
} WireOwner;

int wire_owner_ask_write(int socket, uint32_t id, const WireOwnerAsk *ask);
int wire_owner_ask_read(WireMessage *message, WireOwnerAsk *ret_ask, Error *error);
int wire_owner_write(int socket, uint32_t id, const WireOwner *owner);
int wire_owner_read(WireMessage *message, WireOwner *ret_owner, Error *error);

/* PROGRAMS_ASK: which files the exact binaries of the policy are inside a container's root.
 * PROGRAMS answers in the same order; 0, 0: there is none. */
typedef struct WireFile {
        uint64_t device, inode;
} WireFile;

int wire_programs_ask_write(
        int socket, uint32_t id, const char *container, const char *const *paths);
/* *ret_paths is malloc'ed, its strings are not. */
int wire_programs_ask_read(
        WireMessage *message, const char **ret_container, const char ***ret_paths, Error *error);
int wire_programs_write(int socket, uint32_t id, const WireFile *files, uint32_t count);
/* Writes exactly `count` files, or fails. */
int wire_programs_read(WireMessage *message, WireFile *ret_files, uint32_t count, Error *error);
