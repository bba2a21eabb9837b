/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* File descriptors: always born O_CLOEXEC, closed once, read and written whole. */
#include <stddef.h>
#include <sys/types.h>

/* Closes fd unless it is -1, keeps errno, returns -1: `fd = fd_close(fd)`. Never retried: on Linux the number is free after
 * the first call, whatever it says. */
int fd_close(int fd);

/* Reads until `size` bytes or end of file; returns the number of bytes, or -errno. EINTR is retried. */
ssize_t fd_read_full(int fd, void *data, size_t size);

/* Writes all of it; 0, or -errno. For blocking descriptors. */
int fd_write_full(int fd, const void *data, size_t size);

/* 0, or -errno. */
int fd_set_nonblocking(int fd);
int fd_set_cloexec(int fd, int on);
