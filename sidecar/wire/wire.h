/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the launcher and its roles say to each other: one SEQPACKET message each (base/message.h), a fixed header and typed fields, all bytes
 * consumed. docs/formats/wire.md has the table: who may send what, in which state, with which descriptors.
 *
 * wire_*_write() returns 0 or -errno of the send; wire_*_read() returns 0, or -1 with ERROR_PEER. Strings that were read point into the
 * message and live as long as it does.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/message.h"
#include "base/pack.h"

#define WIRE_CONTROL_FD 3 /* the number under which a role finds its socket to the launcher */

/* Bounds of one session's request, checked by who sends and by who receives. */
#define WIRE_ARGUMENTS_MAX 1024U             /* as the original takes */
#define WIRE_ARGUMENT_SIZE_MAX (32U * 1024U) /* bytes of one argument */
#define WIRE_ENVIRONMENT_MAX 128U            /* variables a caller may add */
#define WIRE_TEXT_MAX (128U * 1024U)         /* bytes of all arguments and variables together */

typedef enum WireType {
        /* launcher -> role */
        WIRE_GIVE = 1,        /* a named descriptor: a listener or a file the role serves with */
        WIRE_START,           /* everything was given: serve */
        WIRE_SESSION_STARTED, /* pipes or the terminal come along */
        WIRE_SESSION_REFUSED,
        WIRE_SESSION_ENDED,
        WIRE_TARGETS,         /* which workload containers can be entered: readiness */
        WIRE_CONNECTED,       /* a socket inside the sandbox's network comes along */
        WIRE_CONNECT_REFUSED,
        WIRE_POLICY,          /* to egress, sidecar/wire/network.h: what is allowed from here on */
        WIRE_LISTENING,       /* a listener inside the sandbox's network comes along */
        WIRE_LISTEN_REFUSED,
        WIRE_OWNER,           /* which process has a socket */
        WIRE_PROGRAMS,        /* which files the policy's binaries are */
        /* role -> launcher */
        WIRE_READY = 64,      /* serving */
        WIRE_SESSION_START,
        WIRE_SESSION_STOP,
        WIRE_CONNECT,         /* a TCP connection to a loopback port of the sandbox's network: port-forward */
        WIRE_POLICY_TAKEN,    /* egress, sidecar/wire/network.h: every decision follows it */
        WIRE_LISTEN,          /* a listener inside the sandbox's network */
        WIRE_UNLISTEN,
        WIRE_OWNER_ASK,
        WIRE_PROGRAMS_ASK,
        WIRE_AUDIT,           /* one event for the audit; the launcher stamps time, sequence and role */
} WireType;

typedef struct WireHeader {
        WireType type;
        uint32_t id; /* the session or request, numbered by the role that asked; 0 where there is none */
} WireHeader;

/* A received message: the buffer, its descriptors, and where reading stands. */
typedef struct WireMessage {
        WireHeader header;
        Unpacker fields;
        int fds[MESSAGE_FDS_MAX];
        size_t fd_count;
        uint8_t bytes[MESSAGE_SIZE_MAX];
} WireMessage;

/* 1: a message; 0: the peer has closed; -EAGAIN: nothing there yet; else -errno (-EBADMSG for a bad header). */
int wire_receive(int socket, WireMessage *message);
/* Closes the descriptors that nobody took (set an entry to -1 to take it). */
void wire_message_done(WireMessage *message);

/* GIVE, START, READY */
int wire_give(int socket, const char *name, int fd);
int wire_give_read(WireMessage *message, const char **ret_name, int *ret_fd, Error *error);
int wire_signal(int socket, WireType type, uint32_t id); /* a message with no fields */

typedef enum WireSessionFlag {
        WIRE_SESSION_TTY = 1U << 0,
        WIRE_SESSION_STDIN = 1U << 1,
        WIRE_SESSION_STDOUT = 1U << 2,
        WIRE_SESSION_STDERR = 1U << 3,
        WIRE_SESSION_LOGIN = 1U << 4, /* run argv by a login shell */
} WireSessionFlag;

typedef struct WireSessionStart {
        uint32_t flags;
        uint16_t rows, columns;   /* of the terminal; 0: the client did not say */
        const char *container;    /* "" = the pod's default */
        const char *directory;    /* "" = the default */
        const char *terminal;     /* TERM; "" = dumb */
        const char *caller;       /* who asked, for the audit */
        const char *source;       /* how: "tls", "unix" */
        const char **arguments;   /* NULL-ended; after a read the array (not the strings) is malloc'ed: free it */
        const char **environment; /* NAME=value, NULL-ended; likewise */
} WireSessionStart;

int wire_session_start_write(int socket, uint32_t id, const WireSessionStart *start);
int wire_session_start_read(WireMessage *message, WireSessionStart *ret_start, Error *error);

/* STARTED. With a terminal: one descriptor, the pty master. Without: stdin write end, stdout and stderr read ends, each only if asked for, in
 * this order. `status` is a line for people and the audit: what is degraded or limited; "" when nothing is. */
int wire_session_started_write(int socket, uint32_t id, uint64_t number, const char *status, const int *fds, size_t fd_count);
int wire_session_started_read(WireMessage *message, uint64_t *ret_number, const char **ret_status, Error *error);

/* REFUSED: no user code ran. exit_code is what a shell would say (126, 127), or 0 where the refusal is ours. */
typedef struct WireSessionRefused {
        ErrorKind kind;
        uint8_t exit_code;
        uint32_t code;    /* errno, or 0 */
        const char *step; /* the step of the session that failed */
        const char *text; /* the sentence for the person who can fix it */
} WireSessionRefused;

int wire_session_refused_write(int socket, uint32_t id, const WireSessionRefused *refused);
int wire_session_refused_read(WireMessage *message, WireSessionRefused *ret_refused, Error *error);

/* ENDED: the whole tree of the session is gone. exit_code is 128+n for a signal. */
int wire_session_ended_write(int socket, uint32_t id, uint8_t exit_code, bool signalled);
int wire_session_ended_read(WireMessage *message, uint8_t *ret_exit_code, bool *ret_signalled, Error *error);

/* STOP: end the session's tree; `reason` goes to the audit ("client gone", "deadline"). */
int wire_session_stop_write(int socket, uint32_t id, const char *reason);
int wire_session_stop_read(WireMessage *message, const char **ret_reason, Error *error);

/* TARGETS: which pod this is ("" where the runtime did not say: then any name is taken) and the names of the containers that sessions can
 * enter now, the default first. After a read the array (not the strings) is malloc'ed: free it. */
typedef struct WireTargets {
        const char *pod_namespace;
        const char *pod_name;
        const char **containers; /* NULL-ended */
} WireTargets;

int wire_targets_write(int socket, const WireTargets *targets);
int wire_targets_read(WireMessage *message, WireTargets *ret_targets, Error *error);

/* CONNECT: reach 127.0.0.1:port of the sandbox's network. The answer's socket is non-blocking and may still be connecting: the gateway waits
 * for it to become writable and reads SO_ERROR. A refusal has no socket and says why. */
int wire_connect_write(int socket, uint32_t id, uint16_t port);
int wire_connect_read(WireMessage *message, uint16_t *ret_port, Error *error);
int wire_connected_write(int socket, uint32_t id, int fd);
int wire_connected_read(WireMessage *message, int *ret_fd, Error *error);
int wire_connect_refused_write(int socket, uint32_t id, const char *text);
int wire_connect_refused_read(WireMessage *message, const char **ret_text, Error *error);

/* AUDIT: an event name and key, value pairs; at most 4 KiB in all. */
int wire_audit_write(int socket, const char *event, const char *const *pairs);
int wire_audit_read(WireMessage *message, const char **ret_event, const char ***ret_pairs, Error *error);
