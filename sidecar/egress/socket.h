/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sockets as egress uses them: TCP, non-blocking, addressed by Address and port. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/address.h"

/* False for families other than IPv4 and IPv6; v4-mapped addresses come out as IPv4. */
bool socket_address_read(
        const struct sockaddr_storage *storage, Address *ret_address, uint16_t *ret_port);
/* Returns the size to hand to connect(). */
socklen_t socket_address_write(
        const Address *address, uint16_t port, struct sockaddr_storage *ret_storage);

/* The socket's own end. For an accepted one that is what the client connected to. */
bool socket_local(int fd, Address *ret_address, uint16_t *ret_port);
bool socket_remote(int fd, Address *ret_address, uint16_t *ret_port);

/* Starts connecting: a new socket, or -errno. */
int socket_connect(const Address *address, uint16_t port);
/* No waiting for more bytes before small ones go out. */
void socket_no_delay(int fd);
/* Makes the close that follows a reset: the other side learns that this was no regular end, and no
 * port is left in TIME_WAIT. */
void socket_reset_on_close(int fd);
/* Nothing more will come from the other end, whatever is still to be read. */
bool socket_has_ended(int fd);
